//! Where the files of a checkpoint lie: a folder on this machine, or the program itself.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A folder of a checkpoint in diffusers' layout, or of one of its components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    /// On this machine.
    Disk(PathBuf),
    /// In the program, below the root of the embedded checkpoint, with `/`; see [`crate::embedded`].
    Inside(String),
}

impl Folder {
    /// The folder, or file, `name` in it; itself for an empty name.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        match self {
            _ if name.is_empty() => self.clone(),
            Self::Disk(path) => Self::Disk(path.join(name)),
            Self::Inside(path) if path.is_empty() => Self::Inside(name.to_owned()),
            Self::Inside(path) => Self::Inside(format!("{path}/{name}")),
        }
    }

    /// Whether it holds the file `name`.
    pub fn has(&self, name: &str) -> bool {
        match self.join(name) {
            Self::Disk(path) => path.is_file(),
            Self::Inside(path) => crate::embedded::file(&path).is_some(),
        }
    }

    /// What the file `name` in it holds.
    ///
    /// # Errors
    /// What the system says; `NotFound` where there is no such file.
    pub fn read(&self, name: &str) -> io::Result<Cow<'static, [u8]>> {
        match self.join(name) {
            Self::Disk(path) => Ok(std::fs::read(path)?.into()),
            Self::Inside(path) => {
                crate::embedded::file(&path).ok_or_else(|| io::ErrorKind::NotFound.into())
            }
        }
    }

    /// The same as text.
    ///
    /// # Errors
    /// As [`Folder::read`]; `InvalidData` where it is not UTF-8.
    pub fn read_text(&self, name: &str) -> io::Result<String> {
        String::from_utf8(self.read(name)?.into_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// The path of the file `name` in it, for messages.
    pub fn path(&self, name: &str) -> PathBuf {
        match self.join(name) {
            Self::Disk(path) => path,
            inside => PathBuf::from(inside.to_string()),
        }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(path) => path.display().fmt(formatter),
            Self::Inside(path) => write!(formatter, "(embedded)/{path}"),
        }
    }
}

impl From<&Folder> for Folder {
    fn from(folder: &Folder) -> Self {
        folder.clone()
    }
}

impl From<&Path> for Folder {
    fn from(path: &Path) -> Self {
        Self::Disk(path.to_owned())
    }
}

impl From<&PathBuf> for Folder {
    fn from(path: &PathBuf) -> Self {
        Self::Disk(path.clone())
    }
}

impl From<PathBuf> for Folder {
    fn from(path: PathBuf) -> Self {
        Self::Disk(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_and_outside_are_walked_alike() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("unet")).unwrap();
        std::fs::write(root.path().join("unet/config.json"), "{}").unwrap();
        let disk = Folder::from(root.path());
        assert!(disk.join("unet").has("config.json") && !disk.has("config.json"));
        assert_eq!(disk.join("unet").read_text("config.json").unwrap(), "{}");
        assert_eq!(disk.join(""), disk);

        let inside = Folder::Inside(String::new());
        assert_eq!(
            inside.join("unet").join("config.json").to_string(),
            "(embedded)/unet/config.json"
        );
        assert_eq!(
            inside.read("nowhere.json").unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
