//! Kernel and host name.

metrics! { "uname" from "uname(2)" {
    info node_uname_info ["domainname", "machine", "nodename", "release", "sysname", "version"]: "Kernel, architecture and host name.";
} }
