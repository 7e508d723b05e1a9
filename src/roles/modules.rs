//! Which Terraform files are one module: those of a folder. Finds the locals of a module once they are
//! needed, whichever of its files is read first.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::source::{self, Source};
use super::tree::Locals;
use super::walk::Entry;

/// The modules of the Terraform files that are read.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// By the folder.
    all: HashMap<PathBuf, Module>,
}

#[derive(Debug, Default)]
struct Module {
    files: Vec<(Arc<str>, Text)>,
    locals: OnceLock<Arc<Locals>>,
}

/// Where the text of a file is.
#[derive(Debug, Clone)]
enum Text {
    OnDisk(PathBuf),
    Known(Arc<str>),
}

impl Modules {
    /// The modules of what was found. A stream is a module of its own.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut modules = Self::default();
        for entry in entries {
            if let Entry::File(input) = entry
                && input.source == Source::File
            {
                modules.add(&input.file, || Text::OnDisk(input.path.clone()));
            }
        }
        modules
    }

    /// The modules of these files, each a name and its content.
    pub(super) fn of_texts(files: &[(String, Vec<u8>)]) -> Self {
        let mut modules = Self::default();
        for (name, content) in files {
            modules.add(&name.as_str().into(), || Text::Known(String::from_utf8_lossy(content).into()));
        }
        modules
    }

    /// The same modules with other texts of these files.
    pub(super) fn with_texts(&self, texts: &HashMap<Arc<str>, String>) -> Self {
        let mut modules = Self::default();
        for (file, text) in self.all.values().flat_map(|module| &module.files) {
            modules.add(file, || match texts.get(file) {
                Some(text) => Text::Known(text.as_str().into()),
                None => text.clone(),
            });
        }
        modules
    }

    fn add(&mut self, file: &Arc<str>, text: impl FnOnce() -> Text) {
        if source::is_terraform(file) || source::is_terraform_json(file) {
            self.all.entry(folder(file)).or_default().files.push((Arc::clone(file), text()));
        }
    }

    /// The locals of the module that a file with this text is in.
    pub(super) fn locals(&self, file: &Arc<str>, text: &str) -> Arc<Locals> {
        let module = self.all.get(&folder(file));
        match module.filter(|module| module.files.iter().any(|(other, _)| other == file)) {
            Some(module) => Arc::clone(module.locals.get_or_init(|| Arc::new(module.read()))),
            None => Arc::new(Locals::new(vec![(Arc::clone(file), text.to_owned())])),
        }
    }
}

impl Module {
    /// A file that can't be read is reported where it is read for its resources.
    fn read(&self) -> Locals {
        let texts = self.files.iter().filter_map(|(file, text)| {
            let text = match text {
                Text::Known(text) => text.to_string(),
                Text::OnDisk(path) => {
                    String::from_utf8(source::read_whole(path, &Source::File).ok()?).ok()?
                }
            };
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            Some((Arc::clone(file), text))
        });
        Locals::new(texts.collect())
    }
}

/// The folder that a file is in.
fn folder(file: &str) -> PathBuf {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    folder.strip_prefix(".").unwrap_or(folder).to_owned()
}
