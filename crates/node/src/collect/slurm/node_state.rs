//! A node's state in Slurm's words: one base state, any number of flags, and which of our states that makes.
//!
//! Both of Slurm's spellings are read: `IDLE+CLOUD+POWERED_DOWN` of `scontrol`, and `idle~` or `drng*` of `sinfo`. A word
//! that is not known makes the node one of the others, unless it is only a flag.

use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::slurm as m;

/// A node is in one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeState {
    Alloc,
    Mix,
    Idle,
    Comp,
    Down,
    Drain,
    Err,
    Fail,
    Inval,
    Maint,
    Resv,
    Planned,
    Blocked,
    Reboot,
    PoweredDown,
    PoweringUp,
    PoweringDown,
    Future,
    Other,
}

/// Every state, its label's value, and the metric of all nodes in it. A state's number is its place here.
pub(super) const STATES: [(NodeState, &str, &Metric); 19] = [
    (NodeState::Alloc, "alloc", &m::slurm_nodes_alloc),
    (NodeState::Mix, "mix", &m::slurm_nodes_mix),
    (NodeState::Idle, "idle", &m::slurm_nodes_idle),
    (NodeState::Comp, "comp", &m::slurm_nodes_comp),
    (NodeState::Down, "down", &m::slurm_nodes_down),
    (NodeState::Drain, "drain", &m::slurm_nodes_drain),
    (NodeState::Err, "err", &m::slurm_nodes_err),
    (NodeState::Fail, "fail", &m::slurm_nodes_fail),
    (NodeState::Inval, "inval", &m::slurm_nodes_inval),
    (NodeState::Maint, "maint", &m::slurm_nodes_maint),
    (NodeState::Resv, "resv", &m::slurm_nodes_resv),
    (NodeState::Planned, "planned", &m::slurm_nodes_planned),
    (NodeState::Blocked, "blocked", &m::slurm_nodes_blocked),
    (NodeState::Reboot, "reboot", &m::slurm_nodes_reboot),
    (NodeState::PoweredDown, "powered_down", &m::slurm_nodes_powered_down),
    (NodeState::PoweringUp, "powering_up", &m::slurm_nodes_powering_up),
    (NodeState::PoweringDown, "powering_down", &m::slurm_nodes_powering_down),
    (NodeState::Future, "future", &m::slurm_nodes_future),
    (NodeState::Other, "other", &m::slurm_nodes_other),
];

/// Flags by bit, and their label's value.
pub(super) const FLAGS: [&str; 14] = [
    "not_responding",
    "drain",
    "completing",
    "fail",
    "invalid_registration",
    "maintenance",
    "reserved",
    "planned",
    "blocked",
    "reboot",
    "powered_down",
    "powering_up",
    "powering_down",
    "cloud",
];

const NOT_RESPONDING: u16 = 1;
const DRAIN: u16 = 1 << 1;
const COMPLETING: u16 = 1 << 2;
const FAIL: u16 = 1 << 3;
const INVALID: u16 = 1 << 4;
const MAINTENANCE: u16 = 1 << 5;
const RESERVED: u16 = 1 << 6;
const PLANNED: u16 = 1 << 7;
const BLOCKED: u16 = 1 << 8;
const REBOOT: u16 = 1 << 9;
const POWERED_DOWN: u16 = 1 << 10;
const POWERING_UP: u16 = 1 << 11;
const POWERING_DOWN: u16 = 1 << 12;
const CLOUD: u16 = 1 << 13;

/// Slurm's words: the base state that one stands for, if any, and its flags.
const WORDS: &[(&[&str], Option<NodeState>, u16)] = &[
    (&["ALLOCATED", "ALLOC"], Some(NodeState::Alloc), 0),
    (&["MIXED", "MIX"], Some(NodeState::Mix), 0),
    (&["IDLE"], Some(NodeState::Idle), 0),
    (&["DOWN"], Some(NodeState::Down), 0),
    (&["ERROR", "ERR"], Some(NodeState::Err), 0),
    (&["FUTURE", "FUTR"], Some(NodeState::Future), 0),
    (&["UNKNOWN", "UNK"], Some(NodeState::Other), 0),
    (&["DRAIN", "DRAINED"], None, DRAIN),
    (&["DRAINING", "DRNG"], None, DRAIN),
    (&["COMPLETING", "COMP"], None, COMPLETING),
    (&["FAIL", "FAILING", "FAILG"], None, FAIL),
    (&["INVALID_REG", "INVAL"], None, INVALID),
    (&["MAINTENANCE", "MAINT"], None, MAINTENANCE),
    (&["RESERVED", "RESV"], None, RESERVED),
    (&["PLANNED", "PLND"], None, PLANNED),
    (&["BLOCKED", "BLOCK"], None, BLOCKED),
    (&["REBOOT", "REBOOT_REQUESTED", "REBOOT_ISSUED", "BOOT"], None, REBOOT),
    (&["NOT_RESPONDING", "NO_RESPOND"], None, NOT_RESPONDING),
    // POWER: before 21.08.
    (&["POWERED_DOWN", "POWER", "POW_DN"], None, POWERED_DOWN),
    (&["POWERING_UP", "POWER_UP", "POW_UP"], None, POWERING_UP),
    (&["POWERING_DOWN", "POWER_DOWN"], None, POWERING_DOWN),
    (&["CLOUD"], None, CLOUD),
];

/// Marks behind a word, as `sinfo` documents them.
const MARKS: &[(char, u16)] = &[
    ('*', NOT_RESPONDING),
    ('~', POWERED_DOWN),
    ('#', POWERING_UP),
    ('%', POWERING_DOWN),
    ('!', POWERING_DOWN),
    ('$', MAINTENANCE),
    ('@', REBOOT),
    ('^', REBOOT),
    ('-', PLANNED),
];

/// A node's state, and its flags by bit.
pub(super) fn read(text: &str) -> (NodeState, u16) {
    let mut base = None;
    let mut flags = 0;
    for (place, marked) in text.split('+').enumerate() {
        let word = marked.trim_end_matches(|character| MARKS.iter().any(|(mark, _)| *mark == character));
        for character in marked.get(word.len()..).unwrap_or_default().chars() {
            flags |= MARKS.iter().find(|(mark, _)| *mark == character).map_or(0, |(_, flag)| *flag);
        }
        let known = WORDS.iter().find(|(words, ..)| words.iter().any(|known| known.eq_ignore_ascii_case(word)));
        match known {
            Some((_, state, flag)) => {
                base = base.or(*state);
                flags |= flag;
            }
            // A flag that is not known says nothing of use; a base state that is not known says that nothing is known.
            None if place == 0 => base = Some(NodeState::Other),
            None => {}
        }
    }
    (state(base, flags), flags)
}

/// What keeps a node from work comes first, then the work that it does, then why it has none.
fn state(base: Option<NodeState>, flags: u16) -> NodeState {
    use NodeState::{
        Alloc, Blocked, Comp, Down, Drain, Err, Fail, Future, Idle, Inval, Maint, Mix, Other, Planned, PoweredDown,
        PoweringDown, PoweringUp, Reboot, Resv,
    };
    let has = |flag| flags & flag != 0;
    match base {
        _ if has(INVALID) => Inval,
        Some(state @ (Down | Err | Future)) => state,
        _ if has(DRAIN) => Drain,
        _ if has(FAIL) => Fail,
        _ if has(MAINTENANCE) => Maint,
        Some(state @ (Alloc | Mix | Other)) => state,
        _ if has(COMPLETING) => Comp,
        _ if has(POWERING_DOWN) => PoweringDown,
        _ if has(POWERED_DOWN) => PoweredDown,
        _ if has(POWERING_UP) => PoweringUp,
        _ if has(REBOOT) => Reboot,
        _ if has(RESERVED) => Resv,
        _ if has(PLANNED) => Planned,
        _ if has(BLOCKED) => Blocked,
        Some(_) => Idle,
        // Only flags that leave nothing to say of work: `NOT_RESPONDING` alone.
        None => Other,
    }
}

impl NodeState {
    /// Whether free CPUs and GPUs of such a node are there for a job now.
    pub(super) fn takes_jobs(self) -> bool {
        matches!(self, Self::Alloc | Self::Mix | Self::Idle | Self::Comp | Self::Resv | Self::Planned | Self::Blocked)
    }
}
