//! The files of one session: where one could not be gone on with, `NAME.cast` goes on in `NAME.2.cast`.
//!
//! They are looked for by their names, beside the file that is named and nowhere else. A file belongs to the session only if
//! it is a regular file of the same owner with the same session id; links are not followed. What a header says of other
//! files is a hint.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Component, Path, PathBuf};

use super::{Refusal, SegmentFault, Session, is_compressed, reader};
use crate::dirfd::{EntryKind, FileRef};
use crate::recording::Continues;
use crate::recording::name::segment_path;
use crate::recording::reader::{Header, Reader};
use crate::sys::{check_hole, may_be_hole};

/// How many numbers are tried after the last one that there is.
const AHEAD: u64 = 8;

/// The highest number of a file that is taken for a session's.
const MAX_NUMBER: u64 = 10_000;

/// Endings of packed files.
const PACKED: [&str; 3] = ["", ".gz", ".zst"];

/// One file of a session.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The file.
    pub path: PathBuf,
    /// Its number, from 1.
    pub number: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its first line.
    pub header: Header,
    /// What that has of recmode's.
    pub session: Session,
    /// The user id of its owner.
    pub owner: u32,
    /// Whether it is compressed.
    pub packed: bool,
    file: FileRef,
    /// Device and inode, by which the file is known again when it is read.
    identity: (u64, u64),
}

/// The files of a session of which one is named, in order, and what is wrong with them.
#[derive(Debug, Clone)]
pub struct Segments {
    /// The files that are read, by their numbers; at least one.
    pub files: Vec<Segment>,
    /// What is missing or not read.
    pub faults: Vec<SegmentFault>,
}

/// The files of the session that the recording at `path` belongs to. `None` for a recording that is one file, which costs a
/// look at its header and at few names, and for whatever can't be read as a recording of recmode's.
///
/// # Errors
///
/// When it can't be found out which files there are, as no more can be opened.
pub fn segments(path: &Path) -> io::Result<Option<Segments>> {
    if path == Path::new("-") {
        return Ok(None);
    }
    let Ok(metadata) = path.symlink_metadata() else { return Ok(None) };
    if !metadata.is_symlink() {
        return segments_of(&FileRef::named(path));
    }
    match fs::canonicalize(path) {
        Ok(real) => segments_of(&FileRef::named(&real)),
        Err(_) => Ok(None),
    }
}

/// As [`segments`], for a file that may have been found below a directory: no link leads to another one.
///
/// # Errors
///
/// Those of [`segments`].
pub fn segments_of(file: &FileRef) -> io::Result<Option<Segments>> {
    let named = match Segment::open(file) {
        Ok(named) => named,
        Err(Unopened::Refused(_)) => return Ok(None),
        Err(Unopened::Exhausted(error)) => return Err(error),
    };
    let Some(name) = file.path().file_name() else { return Ok(None) };
    let Some(base) = Base::of(&named, name, file)? else { return Ok(None) };
    let mut known =
        Known { found: BTreeMap::from([(named.number, vec![named.clone()])]), refused: Vec::new() };
    known.collect(&base, &named)?;
    if known.found.len() == 1 && named.number == 1 && known.refused.is_empty() {
        return Ok(None);
    }
    Ok(Some(known.chain(&base, named)))
}

impl Segment {
    /// Opens a file and reads its header.
    fn open(file_ref: &FileRef) -> Result<Self, Unopened> {
        let path = file_ref.path();
        let entry = file_ref.entry()?;
        match EntryKind::of(entry.stat()?.st_mode) {
            EntryKind::File => {}
            EntryKind::Link => return Err(Refusal::Link.into()),
            _ => return Err(Refusal::Type.into()),
        }
        let file = entry.open()?;
        let metadata = file.metadata()?;
        let mut head = [0; 4];
        let filled = file.read_at(&mut head, 0)?;
        let packed = is_compressed(&head[..filled]);
        let input = reader(At { file, offset: 0 })?;
        let header = Reader::new(input).map_err(|_| Refusal::Session)?.into_header();
        let session = header.recmode.as_ref().map(Session::new).ok_or(Refusal::Session)?;
        if session.session.is_none() {
            return Err(Refusal::Session.into());
        }
        let number = session.segment.unwrap_or(1);
        if !(1..=MAX_NUMBER).contains(&number) {
            return Err(Refusal::Number.into());
        }
        let (owner, size) = (metadata.uid(), metadata.len());
        let (file, identity) = (file_ref.clone(), (metadata.dev(), metadata.ino()));
        Ok(Self { path: path.to_owned(), number, size, header, session, owner, packed, file, identity })
    }

    /// The file's bytes from its start.
    ///
    /// # Errors
    ///
    /// When it can't be opened, or another file has its name by now.
    pub(super) fn read(&self) -> io::Result<impl Read + Send + use<>> {
        let file = self.file.entry()?.open()?;
        let metadata = file.metadata()?;
        if (metadata.dev(), metadata.ino()) != self.identity {
            return Err(io::Error::other("another file has its name by now"));
        }
        Ok(At { file, offset: 0 })
    }

    /// When it begins, in microseconds since the session began, where its header says that.
    #[must_use]
    pub fn begins(&self) -> Option<u64> {
        self.session.continues.as_ref().and_then(Continues::begins)
    }

    /// Whether the text up to where `next` continues it has the hash that `next` has of it. `None` where that has none.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn is_continued_by(&self, next: &Self) -> io::Result<Option<bool>> {
        let continues = next.session.continues.as_ref();
        let continues = continues.filter(|continues| u64::from(continues.segment) == self.number);
        let Some((bytes, wanted)) = continues.and_then(|c| Some((c.bytes?, c.blake3.as_deref()?))) else {
            return Ok(None);
        };
        let mut hasher = blake3::Hasher::new();
        let read = io::copy(&mut reader(self.read()?)?.take(bytes), &mut hasher)?;
        Ok(Some(read == bytes && hasher.finalize().to_hex().as_str() == wanted))
    }

    /// That the text ends before `next` goes on, where that says how long it was. A packed file is read for it.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn cut_off(&self, next: &Self) -> io::Result<Option<SegmentFault>> {
        let Some(bytes) = self.counted_by(next) else { return Ok(None) };
        let held = if self.packed {
            io::copy(&mut reader(self.read()?)?.take(bytes), &mut io::sink())?
        } else {
            self.size
        };
        let path = self.path.clone();
        Ok((held < bytes).then_some(SegmentFault::Short { path, held, bytes }))
    }

    /// How many bytes of the text `next` continues, where it says that.
    #[must_use]
    pub fn counted_by(&self, next: &Self) -> Option<u64> {
        let continues = next.session.continues.as_ref()?;
        continues.bytes.filter(|_| u64::from(continues.segment) == self.number)
    }

    /// Why this file does not belong to the session of `named`.
    fn refusal(&self, named: &Self, number: u64) -> Option<Refusal> {
        if self.session.session != named.session.session {
            Some(Refusal::Session)
        } else if self.owner != named.owner {
            Some(Refusal::Owner)
        } else if self.number != number || self.header.version != named.header.version {
            Some(Refusal::Number)
        } else {
            None
        }
    }
}

/// Why a file could not be looked into.
enum Unopened {
    /// It is not the session's, as far as anyone can tell.
    Refused(Refusal),
    /// No more files can be opened, which says nothing of this one.
    Exhausted(io::Error),
}

impl From<Refusal> for Unopened {
    fn from(why: Refusal) -> Self {
        Self::Refused(why)
    }
}

impl From<io::Error> for Unopened {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM) => Self::Exhausted(error),
            _ => Self::Refused(Refusal::Unreadable(error.to_string())),
        }
    }
}

/// The name of a session's first file, from which those of the others are made.
struct Base<'a> {
    path: PathBuf,
    /// The file that was named or found.
    by: &'a FileRef,
}

impl<'a> Base<'a> {
    /// From the file's own name; where that has no number, or there is no first file of that name, from the hint in its
    /// header.
    fn of(named: &Segment, name: &OsStr, by: &'a FileRef) -> io::Result<Option<Self>> {
        let base = |name: &OsStr| Self { path: by.path().with_file_name(name), by };
        let own = first_name(name, named.number);
        let hint =
            named.session.first.as_deref().map(Path::new).filter(|_| named.number > 1).and_then(single);
        let own = own.map(|own| base(&own));
        let hint = hint.map(base);
        let (own, hint) = match (own, hint) {
            (Some(own), Some(hint)) => (own, hint),
            (own, hint) => return Ok(own.or(hint)),
        };
        let mut there = false;
        for path in own.names(1) {
            there |= own.is_there(&path)?;
        }
        Ok(Some(if there { own } else { hint }))
    }

    /// Whether anything has this name.
    fn is_there(&self, path: &Path) -> io::Result<bool> {
        match self.by.at(path).entry().and_then(|entry| entry.stat()) {
            Ok(_) => Ok(true),
            Err(error) => match error.into() {
                Unopened::Exhausted(error) => Err(error),
                Unopened::Refused(_) => Ok(false),
            },
        }
    }

    /// What the file of this number may be called.
    fn names(&self, number: u64) -> impl Iterator<Item = PathBuf> {
        let path = segment_path(&self.path, u32::try_from(number).unwrap_or(u32::MAX)).into_os_string();
        PACKED.into_iter().map(move |packed| {
            let mut name = path.clone();
            name.push(packed);
            name.into()
        })
    }
}

/// A path that is nothing but a file's name.
fn single(path: &Path) -> Option<&OsStr> {
    let mut components = path.components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(name)), None) => Some(name),
        _ => None,
    }
}

/// What the first file is called if this one has this number: `NAME.cast` for `NAME.2.cast.gz`.
fn first_name(name: &OsStr, number: u64) -> Option<OsString> {
    let bytes = name.as_bytes();
    let bytes = PACKED[1..].iter().find_map(|ending| bytes.strip_suffix(ending.as_bytes())).unwrap_or(bytes);
    if number == 1 {
        return Some(OsString::from_vec(bytes.to_vec()));
    }
    let mark = format!(".{number}");
    // The number goes before the extension, if there is one.
    let dot = memchr::memrchr(b'.', bytes)?;
    let (stem, extension) = bytes.split_at(dot);
    if extension == mark.as_bytes() {
        return Some(OsString::from_vec(stem.to_vec()));
    }
    let stem = stem.strip_suffix(mark.as_bytes()).filter(|stem| !stem.is_empty())?;
    Some(OsString::from_vec([stem, extension].concat()))
}

/// Whether a file's name may be that of a session's second file or a later one, `NAME.2.cast`.
#[must_use]
pub fn has_number(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let mut parts = name.rsplit(|&byte| byte == b'.').take(3);
    parts.any(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
}

/// What was found beside a file.
struct Known {
    found: BTreeMap<u64, Vec<Segment>>,
    refused: Vec<(u64, PathBuf, Refusal)>,
}

impl Known {
    /// Looks for the other files.
    fn collect(&mut self, base: &Base<'_>, named: &Segment) -> io::Result<()> {
        let (mut last, mut number) = (named.number, 1);
        while number <= (last + AHEAD).min(MAX_NUMBER) {
            for path in base.names(number) {
                if path == named.path || !base.is_there(&path)? {
                    continue;
                }
                last = last.max(number);
                match Segment::open(&base.by.at(&path)) {
                    Ok(segment) => match segment.refusal(named, number) {
                        None => self.found.entry(number).or_default().push(segment),
                        Some(why) => self.refused.push((number, path, why)),
                    },
                    Err(Unopened::Refused(why)) => self.refused.push((number, path, why)),
                    Err(Unopened::Exhausted(error)) => return Err(error),
                }
            }
            number += 1;
        }
        // A copy beside the only file, such as a packed one, is no other segment; nor is another session's file.
        if self.found.len() == 1 && named.number == 1 {
            self.found.values_mut().for_each(|files| files.truncate(1));
            self.refused.retain(|(number, _, why)| *number > 1 && *why != Refusal::Session);
        }
        Ok(())
    }

    /// Follows the files backwards from the last one.
    fn chain(mut self, base: &Base<'_>, named: Segment) -> Segments {
        let mut faults = Vec::new();
        for (&number, files) in self.found.iter().filter(|(_, files)| files.len() > 1) {
            let paths = files.iter().map(|segment| segment.path.clone()).collect();
            faults.push(SegmentFault::Ambiguous { number, paths });
        }
        if self.found[&named.number].len() > 1 {
            return Segments { files: vec![named], faults };
        }
        let ambiguous: Vec<u64> =
            self.found.iter().filter(|(_, files)| files.len() > 1).map(|(&number, _)| number).collect();
        self.found.retain(|_, files| files.len() == 1);
        let mut rest: BTreeMap<u64, Segment> = self
            .found
            .into_iter()
            .filter_map(|(number, files)| Some((number, files.into_iter().next()?)))
            .collect();
        let mut files = Vec::new();
        let mut needed = Vec::new();
        while let Some((number, segment)) = rest.pop_last() {
            let continues = segment.session.continues.as_ref();
            let before = continues.map(|continues| u64::from(continues.segment));
            let before = before.filter(|before| (1..number).contains(before)).unwrap_or(number - 1);
            files.push(segment);
            // Those that are passed over are not continued by anything.
            let passed = rest.split_off(&(before + 1));
            faults.extend(passed.into_values().map(|segment| SegmentFault::Leftover { path: segment.path }));
            let next = rest.last_key_value().map_or(0, |(&next, _)| next);
            needed.extend(next + 1..=before);
        }
        files.reverse();
        needed.sort_unstable();
        let lacking = needed.iter().copied().filter(|number| !ambiguous.contains(number));
        faults.extend(missing(lacking, base));
        // Those that have the name of one that is needed, or that claim to be of this session, or can't be looked into.
        let last = files.last().map_or(0, |segment| segment.number);
        for (number, path, why) in self.refused {
            let other = matches!(why, Refusal::Session | Refusal::Number);
            if needed.contains(&number) || why == Refusal::Owner || (number > last && !other) {
                faults.push(SegmentFault::Refused { path, why });
            }
        }
        if files.iter().any(|segment| segment.path == named.path) {
            return Segments { files, faults };
        }
        // A leftover that is named is read by itself.
        let faults = vec![SegmentFault::Leftover { path: named.path.clone() }];
        Segments { files: vec![named], faults }
    }
}

/// Numbers in their order as what is missing, those in a row together.
fn missing(mut numbers: impl Iterator<Item = u64>, base: &Base<'_>) -> Vec<SegmentFault> {
    let mut rows: Vec<(u64, u64)> = Vec::new();
    for number in numbers.by_ref() {
        match rows.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => rows.push((number, number)),
        }
    }
    let fault = |numbers: (u64, u64)| {
        let path = base.names(numbers.0).next().unwrap_or_default();
        SegmentFault::Missing { numbers, path }
    };
    rows.into_iter().map(fault).collect()
}

/// A file from a place of its own on.
struct At {
    file: File,
    offset: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        if may_be_hole(&buffer[..read])
            && let Ok(offset) = i64::try_from(self.offset)
        {
            check_hole(self.file.as_fd(), offset)?;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_files_name_is_known_from_each_ones_name_and_number() {
        for (name, number, first) in [
            ("a.cast", 1, Some("a.cast")),
            ("a.cast.gz", 1, Some("a.cast")),
            ("a.2.cast", 2, Some("a.cast")),
            ("a.2.cast.zst", 2, Some("a.cast")),
            ("a.b.12.cast", 12, Some("a.b.cast")),
            ("a.2", 2, Some("a")),
            ("a.3.cast", 2, None),
            (".2.cast", 2, None),
            ("copy.cast", 2, None),
        ] {
            let found = first_name(OsStr::new(name), number);
            assert_eq!(found.as_deref(), first.map(OsStr::new), "{name}");
        }
    }

    #[test]
    fn files_of_a_session_are_not_found_through_a_directory_that_was_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        let (below, outside) = (dir.path().join("root/below"), dir.path().join("outside"));
        for place in [&below, &outside] {
            std::fs::create_dir_all(place).expect("mkdir");
            for (name, segment) in [("a.cast", ""), ("a.2.cast", ",\"segment\":2,\"first\":\"a.cast\"")] {
                let header = format!(
                    "{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}},\
                     \"recmode\":{{\"version\":\"0\",\"session\":\"5d\"{segment}}}}}\n"
                );
                std::fs::write(place.join(name), header).expect("written");
            }
        }
        let root = crate::dirfd::Root::open(&dir.path().join("root")).expect("opened").expect("a directory");
        let files = root.files(&mut |_, _| {}, &mut Vec::new()).expect("read");
        let of = |file| segments_of(file).expect("read").map(|segments| segments.files.len());
        assert_eq!(files.iter().map(of).collect::<Vec<_>>(), [Some(2), Some(2)]);
        std::fs::rename(&below, dir.path().join("was")).expect("renamed");
        std::os::unix::fs::symlink(&outside, &below).expect("a link");
        assert_eq!(files.iter().map(of).collect::<Vec<_>>(), [None, None]);
    }

    #[test]
    fn a_hint_is_a_name_and_no_way_elsewhere() {
        for path in ["/r/a.cast", "../a.cast", "b/a.cast", "..", ""] {
            assert_eq!(single(Path::new(path)), None, "{path}");
        }
        assert_eq!(single(Path::new("a.cast")), Some(OsStr::new("a.cast")));
    }
}
