//! Sensors of the board.

metrics! { "hwmon" from "/sys/class/hwmon" {
    info node_hwmon_chip_names ["chip", "chip_name"]: "The chip's own name.";
    gauge node_hwmon_temp_celsius ["chip", "sensor"] from "input": "Temperature.";
    gauge node_hwmon_temp_max_celsius ["chip", "sensor"] from "max": "Temperature that should not be passed.";
    gauge node_hwmon_temp_crit_celsius ["chip", "sensor"] from "crit": "Temperature that does harm.";
    gauge node_hwmon_temp_crit_hyst_celsius ["chip", "sensor"] from "crit_hyst": "Temperature below which harm is over.";
    gauge node_hwmon_temp_crit_alarm_celsius ["chip", "sensor"] from "crit_alarm": "1 if the temperature does harm.";
    gauge node_hwmon_fan_rpm ["chip", "sensor"] in "rpm" from "input": "Speed of the fan.";
    gauge node_hwmon_fan_min_rpm ["chip", "sensor"] in "rpm" from "min": "Speed that the fan should keep.";
    gauge node_hwmon_power_average_watt ["chip", "sensor"] in "watt" from "average": "Power over a while.";
} }
