//! What the network protocols count. The node's own, where nodes have networks of their own.

use std::collections::HashMap;

use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::netstat::TABLE;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "netstat",
    about: "counters of IP, ICMP, TCP and UDP",
    lane: Lane::Shared,
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Netstat::new(setting))),
};

struct Netstat {
    tables: [Text; 2],
    lines: Text,
    keys: Keys,
}

/// The metrics by protocol and name, and room to put the two together.
struct Keys(HashMap<&'static str, &'static Metric>, String);

impl Netstat {
    fn new(setting: &Setting) -> Self {
        let at = |name: &str| Text::new(setting.roots.proc.join("net").join(name));
        Self { tables: [at("netstat"), at("snmp")], lines: at("snmp6"), keys: Keys(TABLE.by_key(), String::new()) }
    }
}

impl Collector for Netstat {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for table in &mut self.tables {
            // Two lines for each protocol: names, then values.
            let mut lines = table.read()?.lines();
            while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
                let Some((protocol, names)) = names.split_once(':') else { continue };
                let Some((_, values)) = values.split_once(':') else { continue };
                let pairs = names.split_ascii_whitespace().zip(values.split_ascii_whitespace());
                for (name, value) in pairs {
                    self.keys.put(sheet, (protocol, name), value);
                }
            }
        }
        // IPv6 may be switched off.
        for line in self.lines.read_if_there()?.unwrap_or_default().lines() {
            let mut words = line.split_ascii_whitespace();
            let (Some(name), Some(value)) = (words.next(), words.next()) else { continue };
            let Some(six) = name.find('6').map(|at| at + 1) else { continue };
            if let (Some(protocol), Some(rest)) = (name.get(..six), name.get(six..)) {
                self.keys.put(sheet, (protocol, rest), value);
            }
        }
        Ok(())
    }
}

impl Keys {
    fn put(&mut self, sheet: &mut Sheet, (protocol, name): (&str, &str), value: &str) {
        let Self(metrics, key) = self;
        key.clear();
        key.extend([protocol, "_", name]);
        if let Some(metric) = metrics.get(key.as_str())
            && let Ok(value) = value.parse::<i64>()
        {
            sheet.put(metric, &[], value);
        }
    }
}
