//! Temperatures of the board.

metrics! { "thermal_zone" from "/sys/class/thermal" {
    gauge node_thermal_zone_temp ["type", "zone"] in "celsius" from "temp": "Temperature of the zone.";
    gauge node_cooling_device_cur_state ["name", "type"] from "cur_state": "How hard the device cools.";
    gauge node_cooling_device_max_state ["name", "type"] from "max_state": "How hard the device can cool.";
} }
