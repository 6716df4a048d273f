//! AWS's Neuron devices (Trainium, Inferentia). Names and labels are those of AWS's own exporter for Prometheus; what that
//! tells of the machine's processors and memory is not here, because `node_*` has it.

metrics! { "neuron" from "neuron-monitor" each ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag"] {
    info instance_info ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id"] from "instance_info": "The EC2 instance that has the Neuron devices.";
    info neuron_hardware_info ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "neuron_device_count", "neuroncore_per_device_count", "neuron_device_type", "neuron_device_version", "neuroncore_version", "neuron_device_memory_size", "logical_neuroncore_config"] from "neuron_hardware_info": "What the Neuron devices are.";
    gauge neuroncore_utilization_ratio ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "neuroncore"] from "neuroncore_utilization": "Part of the last period in which the core was busy.";
    gauge trainyard_neuroncore_flops_per_second ["instance_id", "runtime_tag", "neuroncore"] from "flops": "Floating-point operations of the core in a second.";
    gauge neuron_runtime_vcpu_usage_ratio ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "usage_type"] from "vcpu_usage": "Part of the machine's processors that the runtime's process uses: user or system.";
    gauge neuron_runtime_memory_used_bytes ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "memory_location"] from "neuron_runtime_used_bytes": "Memory that the runtime uses, of the host or of the Neuron devices.";
    gauge neuroncore_memory_usage_constants ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "neuroncore"] in "bytes" from "constants": "Device memory of the core for constants: weights, where it only infers.";
    gauge neuroncore_memory_usage_model_code ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "neuroncore"] in "bytes" from "model_code": "Device memory of the core for the model's code.";
    gauge neuroncore_memory_usage_model_shared_scratchpad ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "neuroncore"] in "bytes" from "model_shared_scratchpad": "Device memory of the core for intermediate results that models share.";
    gauge neuroncore_memory_usage_runtime_memory ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "neuroncore"] in "bytes" from "runtime_memory": "Device memory of the core for the runtime itself.";
    gauge neuroncore_memory_usage_tensors ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "neuroncore"] in "bytes" from "tensors": "Device memory of the core for tensors.";
    counter execution_errors_total ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "error_type"] from "error_summary": "Errors of executions by type, since the agent first saw the runtime.";
    counter execution_status_total ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "status_type"] from "execution_summary": "Executions by how they ended, since the agent first saw the runtime.";
    gauge execution_latency_seconds ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "runtime_tag", "percentile"] from "total_latency": "Time of an execution as the runtime measured it, by percentile of the last period.";
    counter hardware_ecc_events_total ["instance_name", "instance_id", "instance_type", "availability_zone", "region", "subnet_id", "event_type", "neuron_device_index"] from "neuron_hw_counters": "ECC events of a Neuron device's memories by type, since the agent began to read.";
    counter trainyard_neuron_monitor_starts_total []: "Times that neuron-monitor was started.";
    counter trainyard_neuron_monitor_lines_unread_total []: "Lines of neuron-monitor that could not be understood, or were longer than 256 KiB.";
    gauge trainyard_neuron_monitor_age_seconds []: "How old what neuron-monitor told last is.";
} }
