//! `recmode ls`: the recordings of a directory.

use std::io;

use anyhow::Context as _;
use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::catalog::{self, Selection};
use crate::cli::{ColorWhen, LsArgs, LsFormat};
use crate::policy::{Mode, SessionKind};
use crate::report::{self, Recordings};
use crate::{escape, exit};

/// Prints the list to standard output. The code is 2 if something could not be looked at.
///
/// # Errors
///
/// When the directory can't be read, a moment is none, or standard output can't be written.
pub fn run(args: &LsArgs) -> anyhow::Result<u8> {
    let now = Zoned::now();
    let moment = |flag: &'static str, text: &Option<String>| {
        text.as_deref().map(|text| catalog::moment(text, &now)).transpose().context(flag)
    };
    let selection = Selection {
        users: args.user.clone(),
        kinds: args.kind.iter().copied().map(SessionKind::name).map(str::to_owned).collect(),
        modes: args.mode.into_iter().map(Mode::name).map(str::to_owned).collect(),
        states: args.state.clone(),
        since: moment("--since", &args.since)?,
        until: moment("--until", &args.until)?,
    };
    let dir = super::place::to_look_in(args.dir.as_deref())?;
    let listing = super::progress::over_recordings(|progress, _| catalog::list_sessions(&dir, progress));
    let listing = match listing {
        // Nobody has recorded anything yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound && args.dir.is_none() => {
            super::say(&format!("recmode: {}: there are no recordings\n", escape::path(&dir)));
            catalog::Listing::default()
        }
        listing => listing.with_context(|| escape::path(&dir))?,
    };
    let mut entries = listing.entries;
    entries.retain(|entry| selection.wants(entry));
    catalog::sort(&mut entries, args.sort, args.reverse);
    let text = match args.format {
        LsFormat::Table => {
            let color = super::color::wanted(ColorWhen::Auto, &io::stdout());
            let zone = if args.utc { TimeZone::UTC } else { TimeZone::system() };
            report::recordings_table(&entries, &zone, color)
        }
        LsFormat::Json => Recordings::new(&entries).json()?,
        LsFormat::Csv => report::recordings_csv(&entries)?,
    };
    super::print(text.as_bytes())?;
    for (path, error) in &listing.trouble {
        super::say(&format!("recmode: {}: {error}\n", escape::path(path)));
    }
    let damaged = entries.iter().filter_map(|entry| Some((&entry.path, entry.damage.as_ref()?)));
    for (path, damage) in damaged.clone() {
        super::say(&format!("recmode: {}: {damage}\n", escape::path(path)));
    }
    let trouble = !listing.trouble.is_empty() || damaged.count() > 0;
    Ok(if trouble { exit::TROUBLE } else { exit::OK })
}
