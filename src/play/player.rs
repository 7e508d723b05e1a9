//! The player: the terminal, the keys and the clock around what is pure.

use std::io;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use super::source::{Next, Source};
use super::{Filter, Key, Keys, Pace, Speed, draw};
use crate::cast::Joined;
use crate::recording::reader::{Code, Event, Item, ReadError};
use crate::screen::{Options, Screen, TooLarge, as_seen, is_cooked, parse_size};
use crate::session::{Outer, ProgramModes, Signalled, Signals};

/// How far the cursor keys go.
const JUMP: u64 = 5_000_000;

/// A screen that is drawn is drawn again after so long at the earliest, while more is due.
const FRAME: Duration = Duration::from_millis(33);

/// So many events are taken between two looks for keys while a place is looked for.
const UNSEEN: u32 = 256;

/// A marker that was passed less than this ago is the one that is left by going back.
const JUST_PASSED: u64 = 1_000_000;

/// A place in a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Microseconds since the start.
    Time(u64),
    /// The first marker of this text.
    Marker(String),
}

/// What to play, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The recording, or `-`.
    pub path: PathBuf,
    /// Its session, where that has several files.
    pub joined: Option<Joined>,
    /// How fast.
    pub speed: Speed,
    /// Pauses are made this short.
    pub idle_limit: Option<Duration>,
    /// Where to begin.
    pub from: Option<Place>,
    /// Where to end.
    pub to: Option<Place>,
    /// Draw the screen cut to the terminal, also where it would fit.
    pub fit: bool,
    /// Go on with what is still being recorded.
    pub follow: bool,
    /// Let everything through.
    pub unsafe_raw: bool,
}

/// Why it ended, if not at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was played, or ended by a key.
    Played,
    /// Ctrl-C.
    Interrupted,
    /// A signal ended it.
    Signal(i32),
}

/// Why it can't be played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The recording can't be opened.
    #[error(transparent)]
    Open(io::Error),
    /// The recording can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its terminal is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// There is no such marker.
    #[error("there is no marker \"{}\"", crate::escape::controls(.0))]
    NoMarker(String),
    /// The terminal failed.
    #[error("the terminal: {0}")]
    Terminal(io::Error),
    /// Nobody reads the output any more.
    #[error("standard output was closed")]
    Closed,
}

/// Plays a recording on standard output. The terminal is as it was afterwards.
///
/// # Errors
///
/// When the recording can't be read, or the terminal not be written.
pub fn play(plan: &Plan) -> Result<Outcome, PlayError> {
    let source = Source::open(plan, plan.follow)?;
    let signals = Signals::take().map_err(PlayError::Terminal)?;
    let mut outer = Outer::open().map_err(PlayError::Terminal)?;
    let screen = new_screen(&source)?;
    outer.enter_raw();
    let mut player = Player {
        plan,
        pace: Pace::new(plan.speed, plan.idle_limit),
        source,
        signals,
        outer,
        screen,
        filter: Filter::default(),
        modes: ProgramModes::default(),
        keys: Keys::default(),
        next: None,
        position: 0,
        markers: Vec::new(),
        fitted: false,
        open_line: false,
        stale: false,
        drawn: Instant::now(),
        ended: None,
    };
    let result = player.start().and_then(|()| player.run());
    let restored = player.restore();
    let outcome = result?;
    restored?;
    Ok(outcome)
}

fn new_screen(source: &Source) -> Result<Screen, TooLarge> {
    Screen::of(&source.header, Options::default())
}

struct Player<'a> {
    plan: &'a Plan,
    source: Source,
    signals: Signals,
    outer: Outer,
    /// The recording's screen as it is at `position`.
    screen: Screen,
    filter: Filter,
    /// What was set on the user's terminal.
    modes: ProgramModes,
    keys: Keys,
    pace: Pace,
    /// The event that comes next.
    next: Option<Event>,
    /// Microseconds of the recording's time.
    position: u64,
    /// Times of markers that were passed.
    markers: Vec<u64>,
    /// Whether the screen is drawn, instead of passed on.
    fitted: bool,
    /// Whether a line had been begun when that began.
    open_line: bool,
    /// Whether it has changed since it was drawn.
    stale: bool,
    /// When it was drawn.
    drawn: Instant,
    ended: Option<Outcome>,
}

impl Player<'_> {
    fn start(&mut self) -> Result<(), PlayError> {
        self.choose_fit()?;
        match &self.plan.from {
            Some(Place::Time(time)) => self.seek(*time),
            Some(Place::Marker(text)) => {
                let text = text.clone();
                let is_it = |event: &Event| event.code == Code::Marker && event.data == text;
                if !self.forward(u64::MAX, is_it)? && self.ended.is_none() {
                    return Err(PlayError::NoMarker(text));
                }
                self.redraw()
            }
            None if self.plan.follow => self.catch_up(),
            None => Ok(()),
        }
    }

    fn run(&mut self) -> Result<Outcome, PlayError> {
        let mut last = Instant::now();
        loop {
            if let Some(outcome) = self.ended {
                return Ok(outcome);
            }
            let mut waits_for_more = false;
            if self.next.is_none() {
                match self.source.take() {
                    Next::Item(item) => {
                        self.announce(*item);
                        continue;
                    }
                    Next::Failed(error) => return Err(error.into()),
                    Next::End => return self.end(),
                    Next::Nothing => waits_for_more = true,
                }
            }
            let wait = if waits_for_more { None } else { self.pace.wait() };
            if self.stale && (wait != Some(Duration::ZERO) || self.drawn.elapsed() >= FRAME) {
                self.draw()?;
            }
            if wait == Some(Duration::ZERO) {
                self.show_next()?;
                // Keys are heard also where nothing is waited for.
            }
            self.listen(wait, waits_for_more)?;
            let now = Instant::now();
            self.pace.passed(now - last);
            last = now;
        }
    }

    /// There is no more.
    fn end(&self) -> Result<Outcome, PlayError> {
        match &self.plan.to {
            Some(Place::Marker(text)) => Err(PlayError::NoMarker(text.clone())),
            _ => Ok(Outcome::Played),
        }
    }

    /// When an event is due, or playing is over before it.
    fn due(&self, event: &Event) -> u64 {
        match self.plan.to {
            Some(Place::Time(time)) => event.time.min(time.max(self.position)),
            _ => event.time,
        }
    }

    /// Takes an item as what comes next.
    fn announce(&mut self, item: Item) {
        if let Item::Event(event) = item {
            self.pace.next(Duration::from_micros(self.due(&event).saturating_sub(self.position)));
            if self.source.caught_up() {
                self.pace.skip();
            }
            self.next = Some(event);
        }
    }

    /// Shows what comes next, unless playing ends before it.
    fn show_next(&mut self) -> Result<(), PlayError> {
        let Some(event) = self.next.take() else { return Ok(()) };
        let over = match &self.plan.to {
            Some(Place::Time(time)) => event.time > *time,
            Some(Place::Marker(text)) => event.code == Code::Marker && event.data == *text,
            None => false,
        };
        if over {
            self.ended = Some(Outcome::Played);
            return Ok(());
        }
        self.apply(&event)?;
        match event.code {
            Code::Output | Code::ErrorOutput | Code::Resize if self.fitted => {
                self.stale = true;
                Ok(())
            }
            Code::Output | Code::ErrorOutput if self.plan.unsafe_raw => self.write(event.exact_bytes()),
            Code::Output | Code::ErrorOutput => {
                let cooked = self.outer.output_is_terminal() && is_cooked(&self.source.header);
                let passed = self.filter.pass(&as_seen(&event.data, cooked)).to_owned();
                self.write(passed.as_bytes())?;
                self.choose_fit()
            }
            Code::Resize => self.choose_fit(),
            Code::Input | Code::Marker | Code::Exit => Ok(()),
        }
    }

    /// Takes an event to the recording's screen.
    fn apply(&mut self, event: &Event) -> Result<(), PlayError> {
        self.position = event.time;
        match event.code {
            Code::Output | Code::ErrorOutput => self.screen.output(event.time, &event.data),
            Code::Resize => {
                if let Some((cols, rows)) = parse_size(&event.data) {
                    self.screen.resize(event.time, cols, rows)?;
                }
            }
            Code::Marker => self.markers.push(event.time),
            Code::Input | Code::Exit => {}
        }
        drop(self.screen.take());
        Ok(())
    }

    /// Waits for time to pass, a key, a signal, or more of the recording.
    fn listen(&mut self, wait: Option<Duration>, for_more: bool) -> Result<(), PlayError> {
        let keys = self.hear(wait, for_more)?;
        keys.into_iter().try_for_each(|key| self.press(key))
    }

    /// The same while a place is looked for: only keys that end it are heeded.
    fn glance(&mut self, wait: Option<Duration>) -> Result<(), PlayError> {
        let keys = self.hear(wait, true)?;
        let mut ends = keys.into_iter().filter(|key| matches!(key, Key::Quit | Key::Interrupt));
        ends.try_for_each(|key| self.press(key))
    }

    fn hear(&mut self, wait: Option<Duration>, for_more: bool) -> Result<Vec<Key>, PlayError> {
        let timeout = wait.map_or(PollTimeout::NONE, |wait| {
            // Rounded up, so that the time is over after the wait.
            let wait = if wait.is_zero() { wait } else { wait + Duration::from_millis(1) };
            PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX)
        });
        let (keys, signalled) = {
            let signals = self.signals.as_fd();
            let keyboard = self.outer.keyboard().filter(|_| self.outer.is_raw());
            // The signals stand in for what there is not.
            let more = if for_more { self.source.more() } else { signals };
            let mut fds = [
                PollFd::new(signals, PollFlags::POLLIN),
                PollFd::new(keyboard.unwrap_or(signals), PollFlags::POLLIN),
                PollFd::new(more, PollFlags::POLLIN),
            ];
            match poll(&mut fds, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(PlayError::Terminal(error.into())),
            }
            let ready = |index: usize| fds[index].any() == Some(true);
            let mut typed = Vec::new();
            if let Some(keyboard) = keyboard.filter(|_| ready(1)) {
                let mut buffer = [0; 256];
                match nix::unistd::read(keyboard, &mut buffer) {
                    // The terminal has gone.
                    Ok(0) | Err(Errno::EIO) => self.ended = Some(Outcome::Signal(Signal::SIGHUP as i32)),
                    Ok(read) => typed.extend_from_slice(&buffer[..read]),
                    Err(_) => {}
                }
            }
            (self.keys.read(&typed), ready(0))
        };
        if signalled {
            self.heed_signals()?;
        }
        Ok(keys)
    }

    fn heed_signals(&mut self) -> Result<(), PlayError> {
        while let Some(signal) = self.signals.next() {
            match signal {
                Signalled::End(number) => self.ended = Some(Outcome::Signal(number)),
                Signalled::Stop(_) => {
                    self.outer.leave_raw();
                    let _ = nix::sys::signal::raise(Signal::SIGSTOP);
                }
                Signalled::Continued => {
                    self.outer.enter_raw();
                    self.redraw()?;
                }
                Signalled::Resized if self.fitted => self.draw()?,
                Signalled::Resized => self.choose_fit()?,
                Signalled::Child => {}
            }
        }
        Ok(())
    }

    fn press(&mut self, key: Key) -> Result<(), PlayError> {
        match key {
            Key::Pause => self.pace.toggle(),
            Key::Step if self.pace.is_paused() => return self.step(),
            Key::Step => {}
            Key::Faster => self.pace.change(true),
            Key::Slower => self.pace.change(false),
            Key::Quit => self.ended = Some(Outcome::Played),
            Key::Interrupt => self.ended = Some(Outcome::Interrupted),
            // What is live can't be left.
            _ if self.plan.follow => {}
            Key::Forward => {
                let time = self.now() + JUMP;
                return self.seek(match self.plan.to {
                    Some(Place::Time(to)) => time.min(to),
                    _ => time,
                });
            }
            Key::Back => return self.seek(self.now().saturating_sub(JUMP)),
            Key::NextMarker => {
                let here = self.now();
                let found = self.forward(u64::MAX, |event| event.code == Code::Marker)?;
                // Where there is no other one, it stays where it is.
                if !found && self.ended.is_none() && self.source.is_file {
                    return self.seek(here);
                }
                return self.redraw();
            }
            Key::PreviousMarker => {
                let left = self.now().saturating_sub(JUST_PASSED);
                let marker = self.markers.iter().rev().find(|&&time| time < left);
                return self.seek(marker.copied().unwrap_or(0));
            }
        }
        Ok(())
    }

    /// Shows events up to the next one that prints something.
    fn step(&mut self) -> Result<(), PlayError> {
        while self.ended.is_none() {
            if self.next.is_none() {
                match self.source.take() {
                    Next::Item(item) => self.announce(*item),
                    Next::Failed(error) => return Err(error.into()),
                    Next::Nothing if self.plan.follow || !self.source.is_file => return Ok(()),
                    Next::Nothing => self.glance(None)?,
                    Next::End => self.ended = Some(self.end()?),
                }
                continue;
            }
            let prints = self
                .next
                .as_ref()
                .is_some_and(|event| matches!(event.code, Code::Output | Code::ErrorOutput));
            self.show_next()?;
            if prints {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The time in the recording: between two events, too.
    fn now(&self) -> u64 {
        let left = u64::try_from(self.pace.left().as_micros()).unwrap_or(0);
        self.next
            .as_ref()
            .map_or(self.position, |next| self.due(next).saturating_sub(left).max(self.position))
    }

    /// Goes to a time and shows the screen as it was then.
    fn seek(&mut self, time: u64) -> Result<(), PlayError> {
        if time < self.position {
            if !self.source.is_file {
                // A stream can't be read again.
                return Ok(());
            }
            self.source = Source::open(self.plan, false)?;
            self.screen = new_screen(&self.source)?;
            (self.next, self.position) = (None, 0);
            self.markers.clear();
        }
        self.forward(time, |_| false)?;
        self.position =
            self.position.max(time.min(self.next.as_ref().map_or(self.position, |next| next.time)));
        if let Some(next) = &self.next {
            self.pace.next(Duration::from_micros(self.due(next).saturating_sub(self.position)));
        }
        self.redraw()
    }

    /// Takes events up to a time, or up to and with one that is looked for, to the screen unseen. Says
    /// whether that was found.
    fn forward(&mut self, time: u64, stop: impl Fn(&Event) -> bool) -> Result<bool, PlayError> {
        let mut unseen = 0_u32;
        loop {
            unseen += 1;
            if unseen.is_multiple_of(UNSEEN) {
                self.glance(Some(Duration::ZERO))?;
            }
            if self.ended.is_some() {
                return Ok(false);
            }
            let event = match self.next.take() {
                Some(event) => event,
                None => match self.source.take() {
                    Next::Item(item) => match *item {
                        Item::Event(event) => event,
                        _ => continue,
                    },
                    Next::Failed(error) => return Err(error.into()),
                    Next::Nothing => {
                        self.glance(None)?;
                        continue;
                    }
                    Next::End => return Ok(false),
                },
            };
            if event.time > time {
                self.next = Some(event);
                return Ok(false);
            }
            self.apply(&event)?;
            if stop(&event) {
                return Ok(true);
            }
        }
    }

    /// Takes all that there is of a live recording to the screen, and shows that.
    fn catch_up(&mut self) -> Result<(), PlayError> {
        loop {
            // Asked before the look: what was read before is found by it.
            let caught_up = self.source.caught_up();
            match self.source.take() {
                Next::Item(item) => {
                    if let Item::Event(event) = *item {
                        self.apply(&event)?;
                    }
                }
                Next::Failed(error) => return Err(error.into()),
                Next::End => break,
                Next::Nothing if caught_up => break,
                Next::Nothing => {
                    let mut fds = [
                        PollFd::new(self.source.more(), PollFlags::POLLIN),
                        PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
                    ];
                    // A recording without an event yet tells nobody that it was read.
                    let _ = poll(&mut fds, PollTimeout::from(100_u8));
                    self.heed_signals()?;
                    if self.ended.is_some() {
                        break;
                    }
                }
            }
        }
        self.redraw()
    }

    /// Draws instead of passing on from when the terminal would show something else: where the recording's
    /// screen is larger, and where it is smaller and its edges have come to matter.
    fn choose_fit(&mut self) -> Result<(), PlayError> {
        let Some(size) = self.terminal_size() else { return Ok(()) };
        if self.fitted || self.plan.unsafe_raw {
            return Ok(());
        }
        if self.plan.fit || draw::differs(self.screen.terminal(), size) {
            (self.fitted, self.open_line) = (true, !self.modes.at_line_start());
            self.write(b"\x1b[?1049h")?;
            return self.draw();
        }
        Ok(())
    }

    /// The size of the user's terminal, where output goes to one.
    fn terminal_size(&self) -> Option<(usize, usize)> {
        let size = self.outer.window_size().filter(|_| self.outer.output_is_terminal())?;
        // One without a size is none to fit anything to.
        (size.ws_col > 0 && size.ws_row > 0).then(|| (usize::from(size.ws_col), usize::from(size.ws_row)))
    }

    fn draw(&mut self) -> Result<(), PlayError> {
        let Some((cols, rows)) = self.terminal_size() else { return Ok(()) };
        let drawn = draw::fitted(self.screen.terminal(), cols, rows);
        // Drawn by us, but of characters that the recording chose.
        let drawn = Filter::default().pass(&drawn).to_owned();
        (self.stale, self.drawn) = (false, Instant::now());
        self.write(drawn.as_bytes())
    }

    /// Shows the whole screen anew.
    fn redraw(&mut self) -> Result<(), PlayError> {
        if self.fitted {
            return self.draw();
        }
        if !self.outer.output_is_terminal() {
            return Ok(());
        }
        let reset = "\x1b[?1049l\x1b[?6l\x1b[4l\x1b[r\x1b[m\x1b[H\x1b[2J";
        self.filter = Filter::default();
        let shown = format!("{reset}{}", self.filter.pass(&self.screen.terminal().dump()));
        self.write(shown.as_bytes())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), PlayError> {
        self.modes.feed(bytes);
        while !bytes.is_empty() {
            match self.outer.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::EAGAIN | Errno::EINTR) => {
                    let mut fds = [
                        PollFd::new(self.outer.output(), PollFlags::POLLOUT),
                        PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
                    ];
                    let _ = poll(&mut fds, PollTimeout::NONE);
                    // A terminal that takes nothing must not keep a signal from ending it.
                    if fds[1].any() == Some(true)
                        && let Some(Signalled::End(number)) = self.signals.next()
                    {
                        self.ended = Some(Outcome::Signal(number));
                        return Ok(());
                    }
                }
                Err(Errno::EPIPE) => return Err(PlayError::Closed),
                Err(error) => return Err(PlayError::Terminal(error.into())),
            }
        }
        Ok(())
    }

    /// Puts the user's terminal back as a prompt expects it.
    fn restore(&mut self) -> Result<(), PlayError> {
        let mut restored = Ok(());
        if self.outer.output_is_terminal() {
            let mut reset = self.modes.reset_sequence();
            if self.fitted
                && let Some((cols, _)) = self.terminal_size()
            {
                // What was drawn is gone with the screen that it was drawn on.
                reset.push_str(if self.open_line { "\r\n" } else { "" });
                reset.push_str(Filter::default().pass(&draw::left(self.screen.terminal(), cols)));
            } else if !self.modes.at_line_start() {
                reset.push_str("\r\n");
            }
            let ended = self.ended;
            restored = self.write(reset.as_bytes());
            self.ended = ended;
        }
        self.outer.leave_raw();
        restored
    }
}
