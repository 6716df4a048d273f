//! The clock.

metrics! { "time" from "the system clock, /sys/devices/system/clocksource" {
    gauge node_time_seconds: "Now, since the epoch.";
    gauge node_time_zone_offset_seconds ["time_zone"]: "How far the zone is ahead of UTC.";
    info node_time_clocksource_available_info ["clocksource", "device"]: "A source that the kernel could take time from.";
    info node_time_clocksource_current_info ["clocksource", "device"]: "The source that the kernel takes time from.";
} }
