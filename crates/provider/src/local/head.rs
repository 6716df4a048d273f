//! Running a command on the head of a rehearsal, on this terminal.

use super::Access;
use crate::Failure;
use crate::head::{Head, Order, Said};

impl Head for Access {
    fn run(&self, order: &Order, _: &mut dyn FnMut(Said<'_>)) -> Result<i32, Failure> {
        let home = &self.rehearsed().layout.home;
        let words = order.words();
        let seconds = order.seconds.map(|seconds| seconds.to_string());
        // In the foreground: the command keeps this terminal, and Ctrl-C reaches it.
        let limit = seconds.as_deref().map(|seconds| ["timeout", "--foreground", "--kill-after=10", seconds]);
        let mut all = limit.iter().flatten().copied().chain(words);
        let program = all.next().ok_or_else(|| Failure::usage("no command"))?;
        Ok(self.command_in(home, program).args(all).attached()?)
    }
}
