//! Randomness.

metrics! { "entropy" from "/proc/sys/kernel/random" {
    gauge node_entropy_available_bits from "entropy_avail": "Random bits in stock.";
    gauge node_entropy_pool_size_bits from "poolsize": "Room for random bits.";
} }
