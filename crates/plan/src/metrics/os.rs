//! The operating system.

metrics! { "os" from "/etc/os-release" {
    info node_os_info ["build_id", "id", "id_like", "image_id", "image_version", "name", "pretty_name", "variant", "variant_id", "version", "version_codename", "version_id"]: "Name and version of the operating system.";
    gauge node_os_version ["id", "id_like", "name"] from "VERSION_ID": "Version of the operating system as a number.";
} }
