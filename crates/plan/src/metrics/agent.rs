//! What the agent says of itself.

metrics! { "agent" from "the agent itself" {
    info trainyard_agent_build_info ["version", "architecture"]: "The agent's version.";
    gauge node_scrape_collector_duration_seconds ["collector"]: "How long the collector's last run took.";
    gauge node_scrape_collector_success ["collector"]: "1 if the collector's last run gave all that it could.";
    gauge trainyard_agent_collector_stale ["collector"]: "1 while the collector hangs or fails and its last values are shown.";
    gauge trainyard_agent_collector_age_seconds ["collector"]: "How old the values of the collector are.";
    counter trainyard_agent_collector_failures_total ["collector"]: "Runs of the collector that failed or passed their deadline.";
    counter trainyard_agent_series_dropped_total ["collector"]: "Series that were left out because the collector passed its limit.";
    counter trainyard_agent_scrapes_total []: "Expositions that were given out.";
} }
