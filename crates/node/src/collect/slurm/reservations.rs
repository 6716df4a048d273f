//! Reservations, as `scontrol -o show reservation` has them.

use std::collections::BTreeMap;

use trainyard_plan::metrics::slurm as m;

use super::nodes::is_empty;
use super::{put_unread, values};
use crate::format::label;
use crate::sheet::Sheet;

/// The most that have a series of their own. Few clusters have ten.
const NAMED_MAX: usize = 100;

#[derive(Default)]
pub(super) struct Reservations {
    active: u64,
    inactive: u64,
    nodes: BTreeMap<Box<str>, u64>,
    unread: u64,
}

impl Reservations {
    /// One line.
    pub(super) fn line(&mut self, line: &str) {
        let [name, state, nodes] = values(line, &["ReservationName", "State", "NodeCnt"]);
        match (name, state) {
            (Some(_), Some("ACTIVE")) => self.active += 1,
            (Some(_), Some("INACTIVE")) => self.inactive += 1,
            _ => self.unread += u64::from(!is_empty(line, "No reservations")),
        }
        let nodes = nodes.and_then(|nodes| nodes.parse().ok());
        if let (Some(name), Some(nodes)) = (name, nodes)
            && self.nodes.len() < NAMED_MAX
        {
            self.nodes.insert(label(name).into(), nodes);
        }
    }

    /// All of it.
    pub(super) fn put(&self, sheet: &mut Sheet) {
        put_unread(sheet, "reservations", self.unread);
        sheet.put(&m::slurm_reservations, &["active"], self.active);
        sheet.put(&m::slurm_reservations, &["inactive"], self.inactive);
        for (name, nodes) in &self.nodes {
            sheet.put(&m::slurm_reservation_node_count, &[name], *nodes);
        }
    }
}
