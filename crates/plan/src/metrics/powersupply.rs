//! Power supplies.

metrics! { "powersupply" from "/sys/class/power_supply" {
    gauge node_power_supply_online ["power_supply"] from "online": "1 if the supply gives power.";
} }
