//! What `neuron-monitor` would print of a node at work: one line of JSON.

use serde_json::{Map, Value, json};

/// Chips of a trn1.32xlarge. Each has two cores.
const CHIPS: u64 = 16;

const CORES_PER_CHIP: u64 = 2;

const CHIP_MEMORY_BYTES: u64 = 32 << 30;

/// The line at that second.
pub(super) fn monitor_line(seconds: u64) -> Value {
    json!({
        "neuron_runtime_data": [{
            "pid": super::chips::FIRST_PID,
            "address": "",
            "neuron_runtime_tag": "1",
            "error": "",
            "report": {
                "execution_stats": execution_stats(seconds),
                "memory_used": memory_used(),
                "neuroncore_counters": { "period": 1.0, "neuroncores_in_use": cores(), "error": "" },
                "neuron_runtime_vcpu_usage": {
                    "period": 1.0, "vcpu_usage": { "user": 12.5, "system": 1.25 }, "error": "",
                },
            },
        }],
        "system_data": {
            "memory_info": {
                "period": 1.0,
                "memory_total_bytes": 549_755_813_888_u64, "memory_used_bytes": 98_784_247_808_u64,
                "swap_total_bytes": 0, "swap_used_bytes": 0, "error": "",
            },
            "vcpu_usage": {
                "period": 1.0,
                "average_usage": {
                    "user": 12.5, "nice": 0, "system": 1.25, "idle": 86.0, "io_wait": 0.25, "irq": 0, "soft_irq": 0,
                },
                "usage_data": {}, "context_switch_count": 123_456, "error": "",
            },
            "neuron_hw_counters": { "period": 1.0, "neuron_devices": ecc(), "error": "" },
        },
        "instance_info": {
            "instance_name": "", "instance_id": "i-0123456789abcdef0", "instance_type": "trn1.32xlarge",
            "instance_availability_zone": "us-east-1a", "instance_availability_zone_id": "use1-az1",
            "instance_region": "us-east-1", "ami_id": "ami-0123456789abcdef0", "subnet_id": "subnet-0123456789abcdef0",
            "error": "",
        },
        "neuron_hardware_info": {
            "neuron_device_type": "trainium", "neuron_device_version": "v2", "neuroncore_version": "v2",
            "neuron_device_count": CHIPS, "neuron_device_memory_size": CHIP_MEMORY_BYTES,
            "neuroncore_per_device_count": CORES_PER_CHIP, "error": "",
        },
    })
}

/// Counts of one period, as the program gives them.
fn execution_stats(seconds: u64) -> Value {
    let latency =
        json!({ "p0": 0.081, "p1": 0.082, "p25": 0.084, "p50": 0.085, "p75": 0.086, "p99": 0.09, "p100": 0.1 });
    json!({
        "period": 1.0,
        "error_summary": { "generic": 0, "numerical": 0, "transient": 0, "model": 0, "runtime": 0, "hardware": 0 },
        "execution_summary": {
            // A step now and then takes a moment longer.
            "completed": 11 + u64::from(!seconds.is_multiple_of(7)), "completed_with_err": 0,
            "completed_with_num_err": 0, "timed_out": 0, "incorrect_input": 0, "failed_to_queue": 0,
        },
        "latency_stats": { "total_latency": latency.clone(), "device_latency": latency },
        "error": "",
    })
}

fn memory_used() -> Value {
    let of_core = |core: u64| {
        let parts = json!({
            "constants": 196_608, "model_code": 101_125_344, "model_shared_scratchpad": 0,
            "runtime_memory": 6_921_184, "tensors": 11_811_160_064_u64 + core * 4096,
        });
        (core.to_string(), parts)
    };
    let cores: Map<String, Value> = (0..CHIPS * CORES_PER_CHIP).map(of_core).collect();
    let sum =
        |parts: &Value| parts.as_object().into_iter().flatten().filter_map(|(_, size)| size.as_u64()).sum::<u64>();
    let device: u64 = cores.values().map(sum).sum();
    json!({
        "period": 1.0,
        "neuron_runtime_used_bytes": {
            "host": 6_441_402_368_u64, "neuron_device": device,
            "usage_breakdown": {
                "host": { "application_memory": 6_439_305_216_u64, "constants": 0, "dma_buffers": 2_097_152, "tensors": 0 },
                "neuroncore_memory_usage": cores,
            },
        },
        "loaded_models": [],
        "error": "",
    })
}

#[allow(clippy::cast_precision_loss, reason = "a handful of cores")]
fn cores() -> Value {
    let one = |core: u64| {
        (
            core.to_string(),
            json!({ "neuroncore_utilization": 88.0 + (core % 5) as f64 * 0.5, "flops": 41_000_000_000_000_u64 + core }),
        )
    };
    Value::Object((0..CHIPS * CORES_PER_CHIP).map(one).collect())
}

fn ecc() -> Value {
    let one = |chip: u64| {
        json!({
            "neuron_device_index": chip, "mem_ecc_corrected": 0, "mem_ecc_uncorrected": 0,
            "sram_ecc_corrected": 0, "sram_ecc_uncorrected": 0,
        })
    };
    (0..CHIPS).map(one).collect()
}
