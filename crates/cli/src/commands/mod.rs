//! The commands: one file each, and one line here. The order is the order of the help.

// Every command has the same signature, whether it needs all of it or not.
#![allow(clippy::unused_self, clippy::unnecessary_wraps)]

use trainyard_provider::Failure;

use crate::session::Session;

/// Declares modules, subcommands and dispatch from one list.
macro_rules! commands {
    ($($(#[$attribute:meta])* $module:ident: $name:ident,)+) => {
        $(mod $module;)+

        /// What to do.
        #[derive(Debug, clap::Subcommand)]
        pub enum Command {
            $($(#[$attribute])* $name($module::$name),)+
        }

        impl Command {
            /// Does it; returns the exit code.
            pub fn run(self, session: &Session) -> Result<u8, Failure> {
                match self {
                    $(Self::$name(arguments) => arguments.run(session),)+
                }
            }
        }
    };
}

commands! {
    init: Init,
    check: Check,
    explain: Explain,
    schema: Schema,
    plan: Plan,
    render: Render,
    up: Up,
    status: Status,
    list: List,
    nodes: Nodes,
    fleet: Fleet,
    submit: Submit,
    run: Run,
    logs: Logs,
    down: Down,
    recreate: Recreate,
    #[command(hide = true)]
    supervisor: Supervisor,
}

impl Command {
    /// Whether it is a process of trainyard's own, not a person's command.
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Supervisor(_))
    }

    /// Whether failures of ours must not look like the job's.
    pub fn returns_the_jobs_code(&self) -> bool {
        matches!(self, Self::Run(_)) || matches!(self, Self::Submit(submit) if submit.wait)
    }
}
