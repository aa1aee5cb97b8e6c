//! What the shell holds while it runs.

use std::{
    io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    kept::Kept,
    layout::{self, Layout},
    settings::{self, Settings},
};

/// Opens a web or mail address outside the app.
pub type OpenUrl = Box<dyn Fn(&str) -> io::Result<()> + Send + Sync>;

pub(crate) struct Shell {
    settings: Mutex<Kept<Settings>>,
    layout: Mutex<Kept<Layout>>,
    pub(crate) open_url: OpenUrl,
}

impl Shell {
    pub(crate) fn open(config_dir: &Path, open_url: OpenUrl) -> Self {
        Self {
            settings: Mutex::new(Kept::open(config_dir.join(settings::FILE))),
            layout: Mutex::new(Kept::open(config_dir.join(layout::FILE))),
            open_url,
        }
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, Kept<Settings>> {
        lock(&self.settings)
    }

    pub(crate) fn layout(&self) -> MutexGuard<'_, Kept<Layout>> {
        lock(&self.layout)
    }
}

/// Both values are whole after every step, so that a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where windows are is worth a line in the log when it cannot be kept, and no more.
impl Kept<Layout> {
    pub(crate) fn keep(&self) {
        self.told(self.write());
    }

    pub(crate) fn update(&mut self, change: impl FnOnce(&mut Layout)) {
        let outcome = self.change(change);
        self.told(outcome);
    }

    fn told(&self, outcome: io::Result<()>) {
        if let Err(error) = outcome {
            tracing::warn!(%error, "it could not be kept which windows are open");
        }
    }
}
