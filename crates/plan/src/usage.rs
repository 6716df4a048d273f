//! What a node does now, in a few figures: an agent tells it, `status` and `nodes` show it.
//!
//! Plain data. What is not known is left out: it is not zero.

use serde::{Deserialize, Serialize};

/// What a node does now. Rates are means over the last ten seconds, or the time between two collections that are further
/// apart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeUsage {
    /// Processors at work: 1.5 is one and a half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Bytes of memory in use that the kernel cannot simply take back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Its GPUs together, or its Neuron devices where it has no GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<GpuUsage>,
    /// EFA, all devices together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fabric: Option<Traffic>,
    /// The ordinary network, without loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Traffic>,
    /// Which profile accelerators and fabric are a replay of; none where they are the node's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
    /// Collectors whose last run did not give all that it could.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<String>,
}

/// What GPUs do, or Trainium and Inferentia devices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GpuUsage {
    /// How many there are.
    pub count: u32,
    /// Mean of the time in which a kernel ran, in percent; of Neuron devices, how busy their cores were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utilization_percent: Option<f64>,
    /// Bytes of their memory in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Watts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_watts: Option<f64>,
}

/// Bytes in a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// That came in.
    pub received_per_second: f64,
    /// That went out.
    pub sent_per_second: f64,
}

/// What an agent that was asked answered: a line of `trainyard-agent ask`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Which: `address:port`.
    pub agent: String,
    /// What its node does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<NodeUsage>,
    /// Why that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
