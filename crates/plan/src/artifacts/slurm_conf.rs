//! slurm.conf and the files beside it that slurmctld and slurmd read.

use std::fmt::Write as _;

use trainyard_spec::model::{SlurmKey, Timeouts};

use super::{Context, Kind, Render};
use crate::Artifact;
use crate::rehearsed::{HEAD, PartitionNodes, own_network};

pub(super) static KIND: Kind =
    Kind { name: "slurm", about: "slurm.conf, cgroup.conf and plugstack.conf", render: Render::Local(render) };

/// What a node's memory is declared as: the operating system keeps the rest (ParallelCluster's rule).
const SCHEDULABLE_PERCENT: u32 = 95;

fn render(context: &Context<'_>) -> Vec<Artifact> {
    vec![
        Artifact::text("etc/slurm.conf", slurm_conf(context)),
        Artifact::text(
            "etc/cgroup.conf",
            "# Rehearsed nodes do not confine jobs; declared sizes are larger than this machine.\n",
        ),
        Artifact::text(
            "etc/plugstack.conf",
            "# SPANK plugins of this cluster alone: the machine's own are not loaded.\n",
        ),
    ]
}

/// A section of slurm.conf, with the reason for it.
struct Section {
    reason: &'static str,
    lines: Vec<(String, String)>,
}

fn slurm_conf(context: &Context<'_>) -> String {
    let mut text = String::from(
        "# Written by trainyard from the spec; `trainyard up` writes it again. Change the spec, not this file.\n",
    );
    let mut sections = vec![
        identity(context),
        daemons(context),
        plugins(context),
        scheduling(context),
        times(context),
        power(context),
        hooks(context),
    ];
    sections.push(own(context, &sections));
    let chosen = &context.spec.slurm.settings;
    for section in sections.iter().filter(|section| !section.lines.is_empty()) {
        let _ = write!(text, "\n# {}\n", section.reason);
        for (key, value) in &section.lines {
            let by_user = chosen.keys().find(|name| name.as_str().eq_ignore_ascii_case(key));
            // One line a setting: the user's word stands in the plan's place.
            match by_user.and_then(|name| chosen.get(name)) {
                Some(own) => drop(writeln!(text, "{key}={own}")),
                None => drop(writeln!(text, "{key}={value}")),
            }
        }
    }
    text.push_str("\n# Nodes: static ones are always on; CLOUD ones come up when a job asks.\n");
    for partition in context.partitions {
        nodes(&mut text, partition);
    }
    text.push_str("\n# Queues: the first is the default.\n");
    queues(&mut text, context);
    text
}

fn section<const N: usize>(reason: &'static str, lines: [(&str, String); N]) -> Section {
    Section { reason, lines: lines.into_iter().map(|(key, value)| (key.to_owned(), value)).collect() }
}

fn identity(context: &Context<'_>) -> Section {
    let head = &context.rehearsed.nodes[0];
    let at = |below: &str| context.rehearsed.layout.at(below);
    let host = if own_network(context.facts) { HEAD } else { "localhost" };
    let user = context.facts.user.clone();
    section(
        "Who and where.",
        [
            ("ClusterName", context.spec.name.to_string()),
            ("SlurmctldHost", format!("{host}({})", head.address)),
            ("SlurmctldPort", head.port.to_string()),
            ("SlurmUser", user.clone()),
            ("SlurmdUser", user),
            ("AuthType", "auth/munge".into()),
            // cred_expire is also how long a requeued job waits before it may start again.
            ("AuthInfo", format!("socket={},cred_expire=10", at("run/munge.socket"))),
            ("CredType", "cred/munge".into()),
            ("StateSaveLocation", at("state")),
        ],
    )
}

fn daemons(context: &Context<'_>) -> Section {
    let at = |below: &str| context.rehearsed.layout.at(below);
    let mut lines = section(
        "Each node has its own spool, log and pid file.",
        [
            ("SlurmdSpoolDir", at("nodes/%n/spool")),
            ("SlurmctldPidFile", at("run/slurmctld.pid")),
            ("SlurmdPidFile", at("nodes/%n/slurmd.pid")),
            ("SlurmctldLogFile", at("log/slurmctld.log")),
            ("SlurmdLogFile", at("log/slurmd-%n.log")),
            ("SlurmctldDebug", "info".into()),
            ("SlurmdDebug", "info".into()),
            // Nodes may declare more than this machine has: that is what a rehearsal is.
            ("SlurmdParameters", "config_overrides".into()),
            ("PlugStackConfig", at("etc/plugstack.conf")),
        ],
    );
    if !own_network(context.facts) && context.facts.loopback.is_some() {
        // Without a network of their own, daemons must not be heard of outside this machine.
        lines.lines.push(("CommunicationParameters".into(), "NoInAddrAny,NoCtldInAddrAny".into()));
    }
    lines
}

fn plugins(context: &Context<'_>) -> Section {
    let selected = if context.spec.slurm.memory_scheduling { "CR_CPU_Memory" } else { "CR_CPU" };
    let gpus = context.partitions.iter().any(|partition| partition.hardware.gpus > 0);
    let mut lines = section(
        "Plugins. Process tracking without cgroups: it works in containers and for any user.",
        [
            ("ProctrackType", "proctrack/linuxproc".into()),
            ("TaskPlugin", "task/none".into()),
            ("JobAcctGatherType", "jobacct_gather/linux".into()),
            ("JobAcctGatherFrequency", "task=10".into()),
            ("MpiDefault", "none".into()),
            ("SwitchType", "switch/none".into()),
            ("SelectType", "select/cons_tres".into()),
            ("SelectTypeParameters", selected.into()),
            ("JobCompType", "jobcomp/filetxt".into()),
            ("JobCompLoc", format!("{}/slurm/slurm-job-completions.txt", context.rehearsed.layout.home)),
        ],
    );
    if gpus {
        lines.lines.push(("GresTypes".into(), "gpu".into()));
    }
    lines
}

fn scheduling(_: &Context<'_>) -> Section {
    section(
        "A short cycle: nobody wants to wait for a rehearsal.",
        [
            ("SchedulerType", "sched/backfill".into()),
            ("SchedulerParameters", "sched_interval=5,bf_interval=5,batch_sched_delay=1".into()),
            ("JobRequeue", "1".into()),
            // A job that can never run is refused at once instead of waiting for ever.
            ("EnforcePartLimits", "ALL".into()),
            // Powered-down nodes are shown, as on AWS.
            ("PrivateData", "cloud".into()),
            ("TreeWidth", "65533".into()),
        ],
    )
}

fn times(context: &Context<'_>) -> Section {
    let slurm = &context.spec.slurm;
    section(
        "How long silence may last. The supervisor reports a lost node at once; these are the second net.",
        [
            ("SlurmctldTimeout", "30".into()),
            ("SlurmdTimeout", slurm.slurmd_timeout_seconds.to_string()),
            ("KillWait", slurm.kill_wait_seconds.to_string()),
            ("UnkillableStepTimeout", (slurm.kill_wait_seconds * 5).max(60).to_string()),
            ("MessageTimeout", "5".into()),
            // A node that was lost and comes back takes jobs again.
            ("ReturnToService", "2".into()),
        ],
    )
}

fn power(context: &Context<'_>) -> Section {
    let at = |below: &str| context.rehearsed.layout.at(below);
    let fixed: Vec<&str> =
        context.partitions.iter().flat_map(|p| &p.nodes).filter(|n| n.is_static).map(|n| n.name.as_str()).collect();
    let boot = context.spec.rehearsal.boot_seconds;
    let resume = match &context.spec.timeouts {
        Timeouts::Auto(_) => 60 + boot,
        Timeouts::Given(given) => given.compute_seconds.max(15 + boot),
    };
    let mut lines = section(
        "Power saving: nodes come when a job asks and go when idle.",
        [
            ("ResumeProgram", at("etc/hooks/resume")),
            ("SuspendProgram", at("etc/hooks/suspend")),
            ("ResumeFailProgram", at("etc/hooks/resume-failed")),
            ("ResumeTimeout", resume.to_string()),
            ("SuspendTimeout", "10".into()),
            ("SuspendTime", context.spec.rehearsal.idle_seconds.to_string()),
            ("ResumeRate", "0".into()),
            ("SuspendRate", "0".into()),
            ("SlurmctldParameters", "idle_on_node_suspend,power_save_interval=1,power_save_min_interval=0".into()),
        ],
    );
    if !fixed.is_empty() {
        lines.lines.push(("SuspendExcNodes".into(), fixed.join(",")));
    }
    lines
}

fn hooks(context: &Context<'_>) -> Section {
    let at = |below: &str| context.rehearsed.layout.at(below);
    section(
        "Run before and after each job on each of its nodes: every script in these folders.",
        [
            ("Prolog", at("etc/prolog.d/*")),
            ("Epilog", at("etc/epilog.d/*")),
            ("PrologSlurmctld", at("etc/hooks/await-nodes")),
            ("PrologFlags", "Alloc".into()),
        ],
    )
}

/// Settings that stand nowhere else.
fn own(context: &Context<'_>, others: &[Section]) -> Section {
    let is_new = |name: &&SlurmKey| {
        let mut known = others.iter().flat_map(|section| &section.lines);
        !known.any(|(key, _)| key.eq_ignore_ascii_case(name.as_str()))
    };
    let settings = &context.spec.slurm.settings;
    let lines = settings.keys().filter(is_new).map(|key| (key.to_string(), settings[key].to_string())).collect();
    Section { reason: "From slurm.settings.", lines }
}

fn nodes(text: &mut String, partition: &PartitionNodes) {
    let hardware = &partition.hardware;
    let memory = u64::from(hardware.memory_gib) * 1024 * u64::from(SCHEDULABLE_PERCENT) / 100;
    for node in &partition.nodes {
        let state = if node.is_static { "UNKNOWN" } else { "CLOUD" };
        let _ = write!(
            text,
            "NodeName={} NodeAddr={} Port={} CPUs={} Sockets={} CoresPerSocket={} ThreadsPerCore={} RealMemory={memory}",
            node.name,
            node.address,
            node.port,
            hardware.cpus(),
            hardware.sockets,
            hardware.cores_per_socket,
            hardware.threads_per_core,
        );
        match (hardware.gpus, partition.gpu_model.as_str()) {
            (0, _) => {}
            (count, "") => drop(write!(text, " Gres=gpu:{count}")),
            (count, model) => drop(write!(text, " Gres=gpu:{model}:{count}")),
        }
        let kind = if node.is_static { "static" } else { "dynamic" };
        let _ = writeln!(text, " Feature={kind},{} State={state}", partition.resource);
    }
}

fn queues(text: &mut String, context: &Context<'_>) {
    let mut first = true;
    for queue in &context.spec.queues {
        let names: Vec<&str> = context
            .partitions
            .iter()
            .filter(|partition| partition.queue == queue.name)
            .flat_map(|partition| partition.nodes.iter().map(|node| node.name.as_str()))
            .collect();
        let exclusive = if queue.exclusive { " OverSubscribe=EXCLUSIVE" } else { "" };
        let default = if first { "YES" } else { "NO" };
        let _ = writeln!(
            text,
            "PartitionName={} Nodes={} Default={default} MaxTime=INFINITE State=UP{exclusive}",
            queue.name,
            names.join(","),
        );
        first = false;
    }
}
