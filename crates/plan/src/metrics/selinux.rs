//! SELinux.

metrics! { "selinux" from "/sys/fs/selinux" {
    gauge node_selinux_enabled: "1 if SELinux is on.";
    gauge node_selinux_config_mode: "Mode in its configuration: -1 off, 0 permissive, 1 enforcing.";
    gauge node_selinux_current_mode from "enforce": "Mode now: 0 permissive, 1 enforcing.";
} }
