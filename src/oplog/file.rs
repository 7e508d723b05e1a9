//! A log file of JSON lines, written by a thread of its own: its disk may hang, too.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Lines that may wait for the disk; more are lost.
const QUEUE: usize = 64;
const STACK: usize = 64 * 1024;

/// The file, once there is a line for it.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    writer: Option<(SyncSender<String>, JoinHandle<()>)>,
}

impl LogFile {
    /// A log at this path, which is absolute.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, writer: None }
    }

    /// Has a line appended, without waiting.
    pub fn append(&mut self, line: String) {
        if self.writer.is_none() {
            let (lines, to_write) = sync_channel::<String>(QUEUE);
            let path = self.path.clone();
            let builder = thread::Builder::new().name("recmode-log".to_owned()).stack_size(STACK);
            let writer = builder.spawn(move || {
                let mut options = OpenOptions::new();
                options
                    .append(true)
                    .create(true)
                    .mode(0o600)
                    .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
                for line in to_write {
                    // Opened anew for each line, as the file may be rotated.
                    let _ = options.open(&path).and_then(|mut file| file.write_all(line.as_bytes()));
                }
            });
            self.writer = writer.ok().map(|writer| (lines, writer));
        }
        if let Some((lines, _)) = &self.writer {
            let _ = lines.try_send(line);
        }
    }

    /// Waits until every line is written.
    pub fn finish(self) {
        if let Some((lines, writer)) = self.writer {
            drop(lines);
            let _ = writer.join();
        }
    }
}
