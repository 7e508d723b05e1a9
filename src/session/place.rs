//! What a session's command is to run in: its terminal or streams, its control group, and who is not the session's.

use std::io;
use std::path::PathBuf;

use nix::pty::Winsize;
use nix::sys::signal::SigSet;
use nix::unistd::Pid;

use super::cgroup::Cgroup;
use super::command::{Program, Pty, Running};
use super::outer::{Outer, Streams};
use super::pump::Relay;
use super::{Plan, processes};
use crate::recording::StreamCapture;

/// What the command is to run in.
pub(super) struct Place {
    /// Children of this process that are not the session's.
    spared: Vec<i32>,
    cgroup: Option<Cgroup>,
    ends: Ends,
}

/// What the command's standard streams lead to.
enum Ends {
    Terminal(Pty),
    Streams(Streams, StreamCapture),
}

impl Place {
    /// A place for the plan's command; `ours` are processes that are not the session's.
    ///
    /// # Errors
    /// Where the session's terminal can't be had, or orphans can't come to this process.
    pub(super) fn make(
        plan: &Plan,
        size: Winsize,
        outer: &Outer,
        streams: Option<(Streams, StreamCapture)>,
        ours: [Option<Pid>; 2],
    ) -> io::Result<Self> {
        // Orphans of the session come to us, so that a strict termination finds them.
        nix::sys::prctl::set_child_subreaper(true)?;
        // And what a shell that became recmode had left running.
        let mut spared = processes::own_children();
        spared.extend(ours.into_iter().flatten().map(Pid::as_raw));
        let cgroup = Cgroup::create(&plan.recording.header.session.session);
        let ends = match streams {
            Some((streams, capture)) => Ends::Streams(streams, capture),
            None => Ends::Terminal(Pty::open(size, outer.settings().as_ref())?),
        };
        Ok(Self { spared, cgroup, ends })
    }

    /// The name of the session's terminal, where it has one.
    pub(super) fn terminal(&self) -> Option<PathBuf> {
        match &self.ends {
            Ends::Terminal(pty) => pty.name(),
            Ends::Streams(..) => None,
        }
    }

    /// Starts the command; on a terminal with a pipe to its standard input if `piped`, without one with a look at the
    /// files that `sftp` transfers.
    ///
    /// # Errors
    /// Why it could not be executed.
    pub(super) fn start(
        self,
        program: &Program<'_>,
        mask: SigSet,
        piped: bool,
        sftp: bool,
    ) -> io::Result<(Running, Option<Relay>)> {
        let Self { spared, cgroup, ends } = self;
        match ends {
            Ends::Terminal(pty) => {
                Running::start(pty, program, piped, mask, spared, cgroup).map(|running| (running, None))
            }
            Ends::Streams(streams, capture) => {
                let (running, ends) = Running::start_piped(program, mask, spared, cgroup)?;
                Ok((running, Some(Relay::new(streams, ends, capture, sftp))))
            }
        }
    }
}
