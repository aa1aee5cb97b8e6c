//! Where the app keeps what, unless somebody says otherwise.

use std::path::PathBuf;

use directories::{ProjectDirs, UserDirs};

/// The folders of one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// What people write.
    pub data: PathBuf,
    /// Settings, the windows that were open, and the sign-in.
    pub config: PathBuf,
    /// What went wrong on this device.
    pub logs: PathBuf,
}

impl Folders {
    /// The named folders, and the system's usual ones for what is not named. Logs lie with a config folder that is
    /// named. `None` where the system knows no home folder and one is wanted.
    pub fn new(data: Option<PathBuf>, config: Option<PathBuf>) -> Option<Self> {
        let usual = ProjectDirs::from("org", "Tombolo", "Tombolo");
        let logs = match &config {
            Some(config) => config.join("logs"),
            None => logs(usual.as_ref()?)?,
        };
        let data = data.or_else(|| Some(usual.as_ref()?.data_dir().to_path_buf()))?;
        let config = config.or_else(|| Some(usual.as_ref()?.config_dir().to_path_buf()))?;
        Some(Self { data, config, logs })
    }

    /// Where the sign-in lies: never among the data, which people copy and send.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.config.join("secrets")
    }
}

fn logs(usual: &ProjectDirs) -> Option<PathBuf> {
    if cfg!(target_os = "macos") {
        return Some(UserDirs::new()?.home_dir().join("Library/Logs/Tombolo"));
    }
    Some(usual.state_dir().unwrap_or_else(|| usual.data_local_dir()).join("logs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_folders_need_no_home() {
        let folders = Folders::new(Some("/a/data".into()), Some("/a/config".into())).unwrap();
        assert_eq!(folders.data, PathBuf::from("/a/data"));
        assert_eq!(folders.config, PathBuf::from("/a/config"));
        assert_eq!(folders.logs, PathBuf::from("/a/config/logs"));
        assert_eq!(folders.secrets(), PathBuf::from("/a/config/secrets"));
    }
}
