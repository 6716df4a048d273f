//! `trainyard init`: a commented spec to start from.

use std::path::PathBuf;

use fs_err as fs;
use trainyard_provider::Failure;

use crate::session::{SPEC_FILE, Session};

/// The schema beside a new spec: editors with a YAML language server check while you type.
const SCHEMA_FILE: &str = "trainyard.schema.json";

/// Write a commented trainyard.yaml to start from.
#[derive(Debug, clap::Args)]
pub struct Init {
    /// What to start from.
    #[arg(long, value_enum, default_value_t = Preset::Rehearsal)]
    preset: Preset,
    /// Where to write it; `-` for standard output.
    #[arg(default_value = SPEC_FILE)]
    file: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Preset {
    /// A cluster on this machine: two static nodes and two that come when a job asks.
    Rehearsal,
    /// p5en.48xlarge in a Capacity Block.
    P5enCapacityBlock,
    /// p5.48xlarge in a targeted On-Demand reservation.
    P5Odcr,
    /// p4d.24xlarge On-Demand in a placement group.
    P4dOndemand,
    /// trn1.32xlarge.
    Trn1,
    /// CPU nodes only: the cheapest way to try AWS.
    Cpu,
}

impl Preset {
    /// The examples are the presets, so both are tested alike.
    fn text(self) -> &'static str {
        match self {
            Self::Rehearsal => include_str!("../../../../examples/rehearsal.yaml"),
            Self::P5enCapacityBlock => include_str!("../../../../examples/p5en-capacity-block.yaml"),
            Self::P5Odcr => include_str!("../../../../examples/p5-odcr.yaml"),
            Self::P4dOndemand => include_str!("../../../../examples/p4d-ondemand.yaml"),
            Self::Trn1 => include_str!("../../../../examples/trn1.yaml"),
            Self::Cpu => include_str!("../../../../examples/cpu.yaml"),
        }
    }
}

impl Init {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        // The header that names the schema is for the repository's own folders.
        let text = self.preset.text().split_once('\n').map_or("", |(_, rest)| rest);
        if self.file.as_os_str() == "-" {
            session.ui.bytes(text.trim_start_matches("#\n").as_bytes());
            return Ok(0);
        }
        let name = self.file.display();
        let mut file = match fs::OpenOptions::new().write(true).create_new(true).open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(Failure::usage(format!("{name} is there already; it is not overwritten"))
                    .hint(format!("choose another name, or see what is in it: trainyard check {name}")));
            }
            Err(error) => return Err(error.into()),
        };
        let header = format!("# yaml-language-server: $schema=./{SCHEMA_FILE}\n");
        std::io::Write::write_all(&mut file, format!("{header}{text}").as_bytes())?;
        let schema = serde_json::to_string_pretty(&trainyard_spec::schema())
            .map_err(|error| Failure::internal(error.to_string()))?;
        fs::write(self.file.with_file_name(SCHEMA_FILE), schema + "\n")?;
        session.ui.say(&format!("wrote {name}, and {SCHEMA_FILE} for your editor\nnext: trainyard check {name}, then trainyard plan {name}"));
        Ok(0)
    }
}
