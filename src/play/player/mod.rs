//! The player's loop: it takes what is due, shows it, and waits for time, keys, signals and more of the recording.

mod jump;
mod press;
mod show;
mod view;

use std::time::{Duration, Instant};

use self::press::Search;
use self::view::View;
use super::contents::{self, Entry, Overview};
use super::order::check_order;
use super::source::{Next, Source};
use super::task::{Task, Wake};
use super::tty::Tty;
use super::{Clock, Filter, Outcome, Place, Plan, PlayError};
use crate::recording::reader::{Event, Header, Item};
use crate::screen::{Options, Screen, TooLarge};
use crate::session::Signalled;

/// A stream that has brought nothing for longer than this has stopped; what came before it is not made up for.
const STALL: Duration = Duration::from_millis(100);

/// What the key for it cuts pauses to where no limit is given.
const IDLE_LIMIT: Duration = Duration::from_secs(2);

/// Plays a recording on standard output. The terminal is as it was afterwards.
///
/// # Errors
///
/// When the recording can't be read, its end is to be before its beginning, or the terminal can't be written.
pub fn play(plan: &Plan) -> Result<Outcome, PlayError> {
    check_order(plan)?;
    let source = Source::open(plan, plan.follow)?;
    let screen = new_screen(&source)?;
    let mut tty = Tty::open()?;
    tty.enter_raw();
    let mut player = Player::new(plan, source, screen, tty)?;
    let result = player.start().and_then(|()| player.run());
    let restored = player.restore();
    let outcome = result?;
    // A terminal that has gone can't be put back.
    if !matches!(outcome, Outcome::Signal(_)) {
        restored?;
    }
    Ok(outcome)
}

fn new_screen(source: &Source) -> Result<Screen, TooLarge> {
    Screen::of(&source.header, Options::default())
}

/// The limit for pauses that a recording's header asks for.
fn idle_limit_of(header: &Header) -> Option<Duration> {
    let seconds = header.other.get("idle_time_limit")?.as_f64()?;
    Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero())
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

struct Player<'a> {
    plan: &'a Plan,
    tty: Tty,
    /// The size of the terminal in columns and rows, where output goes to one that has a size.
    size: Option<(usize, usize)>,
    source: Source,
    /// The recording's screen as it is at `position`.
    screen: Screen,
    filter: Filter,
    clock: Clock,
    /// The event that comes next.
    next: Option<Event>,
    /// Whether nothing comes after that.
    at_end: bool,
    /// Since when there is nothing.
    starved: Option<Instant>,
    /// Microseconds of the recording's time.
    position: u64,
    /// How many events with output were taken to the screen.
    printed: u64,
    /// Times and texts of markers that were passed.
    markers: Vec<(u64, String)>,
    /// How many markers are before the beginning; `None` while that is looked for.
    begins_after: Option<usize>,
    /// Output that is to be passed on.
    out: Vec<u8>,
    /// What the user looks at.
    view: View,
    /// Whether playback goes on when that is the session again.
    resumes: bool,
    /// Whether the status line is to be there; `None` where it is by itself.
    status: Option<bool>,
    /// Whether there may be one by itself.
    has_status: bool,
    /// The status line as it is on the screen.
    shown_status: String,
    notice: Option<String>,
    /// The screen has to be drawn, as this terminal would show something else.
    must_draw: bool,
    /// Whether the screen is drawn, instead of passed on.
    drawn: bool,
    /// Whether a line had been begun when that began.
    open_line: bool,
    /// Whether something has happened since then.
    unseen: bool,
    /// Whether the terminal shows something else than `screen`.
    stale: bool,
    /// When it was drawn.
    drawn_at: Instant,
    /// Wakes the loop when one of the tasks is done.
    wake: Wake,
    overview: Option<Overview>,
    overview_task: Option<Task<Overview>>,
    commands: Option<Vec<Entry>>,
    commands_task: Option<Task<Vec<Entry>>>,
    search: Option<Search>,
    /// The tenth to jump to when the length is known.
    tenth: Option<u8>,
    ended: Option<Outcome>,
}

impl<'a> Player<'a> {
    fn new(plan: &'a Plan, source: Source, screen: Screen, tty: Tty) -> Result<Self, PlayError> {
        let now = Instant::now();
        let limit = plan.idle_limit.or_else(|| idle_limit_of(&source.header));
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        Ok(Self {
            plan,
            size: tty.size(),
            tty,
            source,
            screen,
            filter: Filter::default(),
            clock: Clock::new(plan.speed, limit, IDLE_LIMIT, now),
            next: None,
            at_end: false,
            starved: None,
            position: 0,
            printed: 0,
            markers: Vec::new(),
            begins_after: plan.from.is_none().then_some(0),
            out: Vec::new(),
            view: View::Session,
            resumes: false,
            status: None,
            has_status: !plan.unsafe_raw && !is_dumb,
            shown_status: String::new(),
            notice: None,
            must_draw: false,
            drawn: false,
            open_line: false,
            unseen: false,
            stale: false,
            drawn_at: now,
            wake: Wake::new().map_err(PlayError::Terminal)?,
            overview: None,
            overview_task: None,
            commands: None,
            commands_task: None,
            search: None,
            tenth: None,
            ended: None,
        })
    }

    fn start(&mut self) -> Result<(), PlayError> {
        if self.tty.is_interactive() && self.source.is_file && !self.plan.follow {
            let plan = self.plan.clone();
            let task = Task::start(&self.wake, move |wanted| contents::overview(&plan, wanted));
            self.overview_task = Some(task.map_err(PlayError::Terminal)?);
        }
        self.check_fit();
        match &self.plan.from {
            Some(Place::Time(time)) => self.seek(*time)?,
            Some(Place::Marker(text)) => self.start_at_marker(&text.clone())?,
            // Without a screen to show it on, all that there was is passed on.
            None if self.plan.follow && self.source.is_file && self.tty.is_terminal() => {
                return self.catch_up();
            }
            None => return Ok(()),
        }
        self.begin()
    }

    fn run(&mut self) -> Result<Outcome, PlayError> {
        self.clock.set(Duration::from_micros(self.position), Instant::now());
        loop {
            if let Some(outcome) = self.ended {
                return Ok(outcome);
            }
            self.fetch()?;
            self.take_results()?;
            self.settle()?;
            if self.at_end && self.next.is_none() && !self.lingers() && !self.tty.is_blocked() {
                return self.end();
            }
            if self.is_due() && !self.tty.is_blocked() {
                self.show_due()?;
                // Keys are heard also where nothing is waited for.
                self.listen(Some(Duration::ZERO))?;
            } else {
                self.listen(self.wait())?;
            }
        }
    }

    /// There is no more.
    fn end(&self) -> Result<Outcome, PlayError> {
        match &self.plan.to {
            Some(Place::Marker(to)) => {
                let before = &self.markers[..self.begins_after.unwrap_or(0).min(self.markers.len())];
                let was_before = before.iter().any(|(_, text)| text == to);
                Err(if was_before { PlayError::Backwards } else { PlayError::NoMarker(to.clone()) })
            }
            _ => Ok(Outcome::Played),
        }
    }

    /// Whether somebody looks at the end.
    fn lingers(&self) -> bool {
        self.tty.is_interactive() && (self.clock.is_paused() || !matches!(self.view, View::Session))
    }

    /// Takes the next event from the source, if it is there.
    fn fetch(&mut self) -> Result<(), PlayError> {
        while self.next.is_none() && !self.at_end {
            match self.source.take() {
                Next::Item(item) => {
                    if let Item::Event(event) = *item {
                        self.announce(event);
                    }
                }
                Next::Failed(error) => return Err(error.into()),
                Next::End => self.at_end = true,
                Next::Nothing => {
                    self.starved.get_or_insert_with(Instant::now);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes an event as what comes next.
    fn announce(&mut self, event: Event) {
        let (now, target) = (Instant::now(), self.target(&event));
        let starved = self.starved.take().is_some_and(|since| now - since > STALL);
        if self.plan.follow {
            // What is live is shown when it comes.
            self.clock.set(target, now);
        } else if starved && !self.source.is_file {
            self.clock.hold_back(target, now);
        }
        self.next = Some(event);
    }

    /// The time of an event, or that of the end where it is beyond that.
    fn target(&self, event: &Event) -> Duration {
        Duration::from_micros(match self.plan.to {
            Some(Place::Time(time)) => event.time.min(time.max(self.position)),
            _ => event.time,
        })
    }

    fn is_due(&self) -> bool {
        let wait = self.next.as_ref().and_then(|event| self.clock.wait(self.target(event), Instant::now()));
        wait == Some(Duration::ZERO)
    }

    /// How long nothing has to be done; `None` until something comes.
    fn wait(&self) -> Option<Duration> {
        // What the terminal does not take can't be followed by more.
        if self.tty.is_blocked() {
            return None;
        }
        let next = self.next.as_ref().and_then(|event| self.clock.wait(self.target(event), Instant::now()));
        [next, self.until_next_draw()].into_iter().flatten().min()
    }

    /// The time in the recording, in microseconds: between two events, too.
    fn now(&self) -> u64 {
        let time = self.clock.time(Instant::now());
        self.next.as_ref().map_or(self.position, |next| {
            micros(time.min(self.clock.due(self.target(next)))).max(self.position)
        })
    }

    /// Waits for time to pass, a key, a signal, more of the recording, or the end of a task.
    fn listen(&mut self, wait: Option<Duration>) -> Result<(), PlayError> {
        let mut others = vec![std::os::fd::AsFd::as_fd(&self.wake)];
        if self.next.is_none() && !self.at_end {
            others.push(self.source.more());
        }
        let heard = self.tty.wait(wait, &others)?;
        self.heed(heard.signals)?;
        heard.keys.into_iter().try_for_each(|key| self.press(key))
    }

    fn heed(&mut self, signals: Vec<Signalled>) -> Result<(), PlayError> {
        for signal in signals {
            match signal {
                Signalled::End(number) => self.ended = Some(Outcome::Signal(number)),
                Signalled::Stop(signal) => self.stop(signal)?,
                Signalled::Continued => {
                    self.tty.enter_raw();
                    // How long it stood still is not known, but nobody waited for what was to come meanwhile.
                    if let Some(target) = self.next.as_ref().map(|event| self.target(event)) {
                        self.clock.hold_back(target, Instant::now());
                    }
                    self.refresh();
                }
                // The size is looked at before anything is drawn.
                Signalled::Resized | Signalled::Child => {}
            }
        }
        Ok(())
    }

    /// Stops by a signal, until it is continued; that time does not count.
    fn stop(&mut self, signal: nix::sys::signal::Signal) -> Result<(), PlayError> {
        let paused = self.clock.is_paused();
        self.clock.pause(true, Instant::now());
        self.erase_status()?;
        let begun = if self.drawn { self.open_line } else { !self.tty.at_line_start() };
        self.tty.stop(signal, if begun { "\r\n" } else { "" })?;
        self.clock.pause(paused, Instant::now());
        self.begin_again()
    }
}
