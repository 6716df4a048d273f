//! Processor clocks.

metrics! { "cpufreq" from "/sys/devices/system/cpu/cpu*/cpufreq" {
    gauge node_cpu_frequency_hertz ["cpu"] from "cpuinfo_cur_freq": "Clock as the hardware reports it.";
    gauge node_cpu_frequency_min_hertz ["cpu"] from "cpuinfo_min_freq": "Lowest clock of the hardware.";
    gauge node_cpu_frequency_max_hertz ["cpu"] from "cpuinfo_max_freq": "Highest clock of the hardware.";
    gauge node_cpu_scaling_frequency_hertz ["cpu"] from "scaling_cur_freq": "Clock as the kernel sets it.";
    gauge node_cpu_scaling_frequency_min_hertz ["cpu"] from "scaling_min_freq": "Lowest clock that the kernel may set.";
    gauge node_cpu_scaling_frequency_max_hertz ["cpu"] from "scaling_max_freq": "Highest clock that the kernel may set.";
} }
