//! A log file that is cut by size: `limn.log`, and beside it `limn.log.1`, the one before, `limn.log.2` and so on.
//!
//! The crates that do this end the program, or stop writing for good, when a rotation fails. Here a disk that is full, a folder that
//! is gone or a name that somebody else has taken costs lines and nothing else, and what can be written again is.

use std::fs::{File, OpenOptions, remove_file, rename};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// See the module.
pub struct LogFile {
    path: PathBuf,
    /// Bytes after which the next file begins.
    limit: u64,
    /// How many there are at most, with the one that is written to.
    count: usize,
    /// `None` while it cannot be opened.
    file: Option<File>,
    written: u64,
    /// The last line may have been written in part.
    torn: bool,
}

impl LogFile {
    /// Goes on with the file that there is.
    ///
    /// # Errors
    /// If it cannot be written to.
    pub fn open(path: &Path, limit: u64, count: usize) -> io::Result<Self> {
        let mut log = Self {
            path: path.to_owned(),
            limit,
            count,
            file: None,
            written: 0,
            torn: false,
        };
        log.reopen()?;
        Ok(log)
    }

    /// Takes up what has the name now; for after somebody else has renamed the file.
    ///
    /// # Errors
    /// If it cannot be written to; then every line tries again.
    pub fn reopen(&mut self) -> io::Result<()> {
        self.file = None;
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.path)?;
        self.written = file.metadata().map_or(0, |metadata| metadata.len());
        self.file = Some(file);
        Ok(())
    }

    fn cut(&mut self) -> io::Result<()> {
        for number in (1..self.count.saturating_sub(1)).rev() {
            // There may be fewer yet.
            let _ = rename(self.numbered(number), self.numbered(number + 1));
        }
        let moved = if self.count > 1 {
            rename(&self.path, self.numbered(1))
        } else {
            remove_file(&self.path)
        };
        match moved {
            // Somebody else has moved it.
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => self.reopen(),
        }
    }

    fn numbered(&self, number: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

impl Write for LogFile {
    /// One line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.file.is_some() && self.written >= self.limit && self.cut().is_err() {
            // Not again with each line: after as many bytes more.
            self.written = 0;
        }
        if self.file.is_none() {
            self.reopen()?;
        }
        let Some(file) = &mut self.file else {
            return Ok(0);
        };
        if self.torn {
            file.write_all(b"\n")?;
        }
        self.torn = true;
        file.write_all(line)?;
        self.torn = false;
        self.written += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir, read_dir, read_to_string, remove_dir_all};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("limn-{name}-{}", std::process::id()));
        let _ = remove_dir_all(&folder);
        create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn the_newest_files_stay() {
        let folder = folder("newest");
        let path = folder.join("limn.log");
        let mut log = LogFile::open(&path, 100, 3).unwrap();
        for number in 0..100 {
            writeln!(log, "line {number} of many").unwrap();
        }
        assert_eq!(names(&folder), ["limn.log", "limn.log.1", "limn.log.2"]);
        let read = |name: &str| read_to_string(folder.join(name)).unwrap();
        let all = read("limn.log.2") + &read("limn.log.1") + &read("limn.log");
        let lines: Vec<_> = all.lines().collect();
        let expected: Vec<_> = (100 - lines.len()..100)
            .map(|number| format!("line {number} of many"))
            .collect();
        assert_eq!(lines, expected);
        assert!((200..340).contains(&all.len()), "{}", all.len());
        // Another start goes on where this one ended.
        let before = read("limn.log").len();
        writeln!(LogFile::open(&path, 1000, 3).unwrap(), "on").unwrap();
        assert_eq!(read("limn.log").len(), before + 3);
        writeln!(LogFile::open(&path, 1, 1).unwrap(), "alone").unwrap();
        assert_eq!(read("limn.log"), "alone\n");
        remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_lost_and_nothing_else() {
        assert!(LogFile::open("/nonexistent/log".as_ref(), 100, 3).is_err());
        let folder = folder("lost");
        let path = folder.join("limn.log");
        let mut log = LogFile::open(&path, 20, 2).unwrap();
        // A name that is taken: the file grows instead.
        create_dir(folder.join("limn.log.1")).unwrap();
        for _ in 0..10 {
            writeln!(log, "line of ten").unwrap();
        }
        assert_eq!(read_to_string(&path).unwrap().lines().count(), 10);
        // A folder that goes away and comes again.
        remove_dir_all(&folder).unwrap();
        let _ = (0..10).map(|_| writeln!(log, "nowhere")).count();
        create_dir(&folder).unwrap();
        let _ = (0..3).map(|_| writeln!(log, "found again")).count();
        assert!(read_to_string(&path).unwrap().contains("found again"));
        remove_dir_all(folder).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_of_that_line() {
        let folder = folder("full");
        let path = folder.join("limn.log");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut log = LogFile::open(&path, 100, 2).unwrap();
        for _ in 0..100 {
            assert!(writeln!(log, "no room").is_err());
        }
        std::fs::remove_file(&path).unwrap();
        log.reopen().unwrap();
        writeln!(log, "room").unwrap();
        assert!(read_to_string(&path).unwrap().ends_with("\nroom\n"));
        remove_dir_all(folder).unwrap();
    }
}
