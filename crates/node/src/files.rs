//! Reading the kernel's small files, over and over: kept open, bounded, without allocation.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::problem::{Problem, unread};

/// More than any file below /proc and /sys that is read here has: /proc/interrupts of 192 processors has some 300 KiB.
const BYTES_MAX: usize = 4 << 20;

/// Twice what the collectors of the largest machine keep open. More would only hide a leak.
const OPEN_MAX: u64 = 8192;

/// What a buffer begins with. Most of these files are no longer, each has one, and one that grew stays as it is.
const FIRST_BYTES: usize = 1024;

/// Where the kernel's file systems are mounted, or what stands for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// `/proc`.
    pub proc: PathBuf,
    /// `/sys`.
    pub sys: PathBuf,
    /// `/`, for os-release and mount points.
    pub root: PathBuf,
    /// What stands for `/sys/class/infiniband` and what belongs to it, where fabric is replayed.
    pub fabric_sys: Option<PathBuf>,
}

impl Default for Roots {
    fn default() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), root: "/".into(), fabric_sys: None }
    }
}

/// A file that stays open between reads. The kernel makes its text anew at each read from the start.
#[derive(Debug)]
pub struct KeptFile {
    /// Where it is, or its folder, which many may share.
    place: Arc<Path>,
    /// Its name in the folder, if it is that.
    name: &'static str,
    file: Option<File>,
    reading: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Until nothing more comes: what /proc gives in one read ends wherever the next line did not fit.
    Whole,
    /// An attribute of sysfs has at most a page, which comes in one read. Asking whether there is more would double the
    /// calls for a thousand counters.
    OnePage,
}

impl KeptFile {
    /// Opened at the first read.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { place: Arc::from(path.into()), name: "", file: None, reading: Reading::Whole }
    }

    /// An attribute below /sys.
    pub fn attribute(path: impl Into<PathBuf>) -> Self {
        Self { reading: Reading::OnePage, ..Self::new(path) }
    }

    /// An attribute in a folder of many: their paths would be more than what is read.
    pub fn attribute_in(folder: &Arc<Path>, name: &'static str) -> Self {
        Self { place: Arc::clone(folder), name, file: None, reading: Reading::OnePage }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        if self.name.is_empty() { self.place.to_path_buf() } else { self.place.join(self.name) }
    }

    /// Whether it is open now.
    pub fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Lets go of it until it is read again.
    pub fn close(&mut self) {
        self.file = None;
    }

    /// All of its text now, in `buffer`. Bytes that are no UTF-8 are replaced.
    ///
    /// A file that was replaced under its name, as a device's that went and came back, is opened again.
    pub fn read<'a>(&mut self, buffer: &'a mut Buffer) -> io::Result<&'a str> {
        self.fill(buffer)?;
        buffer.repair();
        Ok(buffer.text())
    }

    fn fill(&mut self, buffer: &mut Buffer) -> io::Result<()> {
        if let Some(file) = &self.file {
            match buffer.fill(file, self.reading) {
                Ok(()) => return Ok(()),
                // It is there and has no value now, as the speed of an interface that is down: to open it again helps nothing.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
                Err(_) => self.file = None,
            }
        }
        let path = self.path();
        let file = match self.reading {
            Reading::Whole => File::open(path)?,
            Reading::OnePage => open_quietly(&path)?,
        };
        let file = self.file.insert(file);
        buffer.fill(file, self.reading)
    }

    /// A file with one whole number.
    pub fn number(&mut self, buffer: &mut Buffer) -> io::Result<u64> {
        self.fill(buffer)?;
        // There are more than a thousand of them: text is made of one only to say what is wrong with it.
        if let Some(number) = whole(buffer.bytes()) {
            return Ok(number);
        }
        buffer.repair();
        let text = buffer.text().trim();
        Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is no whole number", shown(text))))
    }
}

/// Opens an attribute without leaving when it was read. Nobody keeps that of one below /sys: a file that stands for it in a
/// replay would be written to at each reading. Who does not own it may not ask for that.
fn open_quietly(path: &Path) -> io::Result<File> {
    let quietly = File::options().read(true).custom_flags(nix::fcntl::OFlag::O_NOATIME.bits()).open(path);
    match quietly {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path),
        result => result,
    }
}

/// A whole number, with spaces and line ends around it.
fn whole(bytes: &[u8]) -> Option<u64> {
    let digits = bytes.trim_ascii();
    let add = |number: u64, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    };
    digits.iter().try_fold(0, add).filter(|_| !digits.is_empty())
}

/// One of the kernel's files and room for its text: what most collectors read.
#[derive(Debug)]
pub struct Text {
    file: KeptFile,
    buffer: Buffer,
}

impl Text {
    /// Opened at the first read.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { file: KeptFile::new(path), buffer: Buffer::default() }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.file.path()
    }

    /// All of it now.
    pub fn read(&mut self) -> Result<&str, Problem> {
        let Self { file, buffer } = self;
        let Err(error) = file.read(buffer) else { return Ok(buffer.text()) };
        Err(unread(&file.path())(error))
    }

    /// All of it now; `None` where there is no such file.
    pub fn read_if_there(&mut self) -> Result<Option<&str>, Problem> {
        let Self { file, buffer } = self;
        let error = match file.read(buffer) {
            Ok(_) => return Ok(Some(buffer.text())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => error,
        };
        Err(unread(&file.path())(error))
    }
}

/// A folder's attributes (`folder/name`), kept open, for collectors that read the same ones of many devices.
#[derive(Debug, Default)]
pub struct Attributes {
    files: HashMap<PathBuf, KeptFile>,
    buffer: Buffer,
}

/// More than the attributes of 200 interfaces; beyond it all are closed, and those that are still asked for open again.
const ATTRIBUTES_MAX: usize = 8192;

impl Attributes {
    /// The attribute's text, trimmed. `None` where it is not there or has no value now.
    pub fn word(&mut self, folder: &Path, name: &str) -> Option<&str> {
        let path = folder.join(name);
        if self.files.len() >= ATTRIBUTES_MAX {
            self.files.clear();
        }
        let file = self.files.entry(path).or_insert_with_key(|path| KeptFile::attribute(path.as_path()));
        file.read(&mut self.buffer).ok().map(str::trim)
    }

    /// The attribute's number, decimal or with `0x`.
    pub fn number(&mut self, folder: &Path, name: &str) -> Option<i64> {
        let word = self.word(folder, name)?;
        match word.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).ok(),
            None => word.parse().ok(),
        }
    }
}

/// Room for one file's text, used again for the next.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    repaired: Option<String>,
}

impl Buffer {
    fn fill(&mut self, file: &File, reading: Reading) -> io::Result<()> {
        if self.bytes.is_empty() {
            self.bytes.resize(FIRST_BYTES, 0);
        }
        self.length = 0;
        loop {
            if self.length == self.bytes.len() {
                if self.length >= BYTES_MAX {
                    return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 4 MiB"));
                }
                self.bytes.resize(self.length * 2, 0);
            }
            // Not libc's: that is a point where a thread may be cancelled, which costs a twentieth of a thousand reads.
            match rustix::io::pread(file, &mut self.bytes[self.length..], self.length as u64) {
                Ok(0) => break,
                Ok(more) => self.length += more,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if reading == Reading::OnePage && (1..self.bytes.len()).contains(&self.length) {
                break;
            }
        }
        self.repaired = None;
        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Makes text of it, whatever it is.
    fn repair(&mut self) {
        let bytes = self.bytes();
        self.repaired = std::str::from_utf8(bytes).is_err().then(|| String::from_utf8_lossy(bytes).into_owned());
    }

    fn text(&self) -> &str {
        match &self.repaired {
            Some(text) => text,
            None => std::str::from_utf8(self.bytes()).unwrap_or_default(),
        }
    }
}

/// Lets the process have as many files open as it may: 32 EFA devices alone have 1200, and services begin with 1024.
pub fn open_many() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((now, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where it is refused, the collector that finds no descriptor says so.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most.min(OPEN_MAX).max(now), most);
    }
}

/// How many files may be open at once.
pub fn open_most() -> usize {
    use nix::sys::resource::{Resource, getrlimit};
    getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(now, _)| usize::try_from(now).unwrap_or(usize::MAX))
}

/// What is read at once of a file that may be long, and the longest line that is seen whole.
const PART_BYTES: usize = 16 << 10;
const LINE_BYTES_MAX: u64 = 4096;

/// A connection has a line of 150 bytes: more than 200,000 of them.
const LINES_BYTES_MAX: u64 = 32 << 20;

/// Shows a file line by line, however many there are: what once was long does not stay in memory. Lines that are no UTF-8
/// are left out.
pub fn each_line(path: &Path, each: &mut dyn FnMut(&str)) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(PART_BYTES, File::open(path)?.take(LINES_BYTES_MAX));
    let mut line = Vec::new();
    while reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? > 0 {
        if let Ok(line) = std::str::from_utf8(&line) {
            each(line.trim_end());
        }
        line.clear();
    }
    if reader.get_ref().limit() > 0 {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 32 MiB"))
    }
}

/// A small file that is read now and then, trimmed. `None` where it cannot be read.
pub fn word(path: &Path) -> Option<String> {
    let mut buffer = Buffer::default();
    KeptFile::new(path).read(&mut buffer).ok().map(|text| text.trim().to_owned())
}

/// A small file with one number.
pub fn number<T: std::str::FromStr>(path: &Path) -> Option<T> {
    word(path)?.parse().ok()
}

/// Writes a file so that whoever reads it finds the old text or the new one, also after a loss of power. Makes its folder.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder)?;
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mut file = File::create(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

/// The names in a folder, sorted; none where it cannot be read. Of its first `most` entries.
pub fn names(folder: &Path, most: usize) -> Vec<String> {
    listed(folder, most).names
}

/// The entries of a folder.
#[derive(Debug, Default)]
pub struct Listed {
    /// Their names, sorted.
    pub names: Vec<String>,
    /// How many have names that are no text.
    pub unnamed: usize,
    /// Whether there are more, that were not looked at.
    pub has_more: bool,
}

/// The same, and what is not among them.
pub fn listed(folder: &Path, most: usize) -> Listed {
    let Ok(mut entries) = std::fs::read_dir(folder) else { return Listed::default() };
    let seen: Vec<_> = entries.by_ref().take(most).collect();
    let count = seen.len();
    let name = |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    let mut names: Vec<String> = seen.into_iter().filter_map(name).collect();
    names.sort();
    Listed { unnamed: count - names.len(), has_more: entries.next().is_some(), names }
}

/// What can be quoted of a text that came from outside.
pub fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;

    use super::*;

    #[test]
    fn a_file_is_read_again_from_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        fs_err::write(&path, "7\n").unwrap();
        let (mut file, mut buffer) = (KeptFile::new(&path), Buffer::default());
        assert_eq!(file.number(&mut buffer).unwrap(), 7);
        fs_err::write(&path, "12345\n").unwrap();
        assert_eq!(file.number(&mut buffer).unwrap(), 12345);
        fs_err::write(&path, b"\xff\xfe").unwrap();
        assert!(file.number(&mut buffer).unwrap_err().to_string().contains("no whole number"));
        fs_err::write(&path, "y".repeat(20_000)).unwrap();
        assert_eq!(file.read(&mut buffer).unwrap().len(), 20_000);
    }

    /// And one that belongs to somebody else, of which that may not be asked, is read all the same.
    #[test]
    fn reading_an_attribute_leaves_no_trace_in_a_replay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rx_bytes");
        fs_err::write(&path, "7\n").unwrap();
        // Older than the last change: an ordinary reading would be noted even where most are not.
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        File::options().write(true).open(&path).unwrap().set_times(FileTimes::new().set_accessed(long_ago)).unwrap();
        let mut buffer = Buffer::default();
        assert_eq!(KeptFile::attribute(&path).number(&mut buffer).unwrap(), 7);
        assert_eq!(fs_err::metadata(&path).unwrap().accessed().unwrap(), long_ago);
        assert!(!KeptFile::attribute("/proc/1/stat").read(&mut buffer).unwrap().is_empty());
    }

    #[test]
    fn a_long_file_is_shown_line_by_line_and_one_without_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tcp");
        let long = "y".repeat(10_000);
        let text = "   7: 0100007F:1F90 00000000:0000 0A\n".repeat(200_000);
        fs_err::write(&path, format!("{text}{long}\nlast")).unwrap();
        let (mut lines, mut longest, mut last) = (0, 0, String::new());
        each_line(&path, &mut |line| {
            lines += 1;
            longest = longest.max(line.len());
            last = line.to_owned();
        })
        .unwrap();
        assert_eq!((lines, longest, last.as_str()), (200_004, 4096, "last"), "a line that is too long comes in parts");
        let error = each_line(Path::new("/dev/zero"), &mut |_| {}).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(each_line(&folder.path().join("none"), &mut |_| {}).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_kernels_own_files_are_read_whole() {
        let mut buffer = Buffer::default();
        for path in ["/proc/stat", "/proc/meminfo", "/proc/self/status"] {
            let text = KeptFile::new(path).read(&mut buffer).unwrap().to_owned();
            assert!(text.ends_with('\n'), "{path}");
            assert!(!KeptFile::new(path).read(&mut buffer).unwrap().is_empty());
        }
    }
}
