//! The way onto a cluster's head node, wherever it stands: what `trainyard run` needs of it.

use crate::Failure;

/// A command to run on a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Options of `srun`; without any, the command runs on the head itself.
    pub srun: Vec<String>,
    /// The program and its arguments, as they are to arrive.
    pub command: Vec<String>,
    /// After how long it is ended; `None`: as long as the way allows.
    pub seconds: Option<u32>,
}

impl Order {
    /// What is run on the head, word by word.
    pub fn words(&self) -> Vec<&str> {
        let srun = (!self.srun.is_empty()).then_some("srun");
        srun.into_iter().chain(self.srun.iter().chain(&self.command).map(String::as_str)).collect()
    }
}

/// What is heard of a command that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// It wrote this to its standard output.
    Out(&'a str),
    /// It wrote this to its standard error.
    Err(&'a str),
    /// Not its own words: what is to be known about it.
    Note(&'a str),
}

/// The head of a cluster that runs.
pub trait Head {
    /// Runs a command to its end and returns its own exit code. Where the command has this terminal, nothing is told.
    fn run(&self, order: &Order, tell: &mut dyn FnMut(Said<'_>)) -> Result<i32, Failure>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn srun_stands_before_a_command_only_where_it_has_options() {
        let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        for (srun, words) in
            [(&[][..], &["hostname", "-f"][..]), (&["--nodes=2"], &["srun", "--nodes=2", "hostname", "-f"])]
        {
            let order = Order { srun: texts(srun), command: texts(&["hostname", "-f"]), seconds: None };
            assert_eq!(order.words(), words);
        }
    }
}
