//! What brings the user's own files to nodes.

use super::{Kind, Render};
use crate::aws::node_files;

pub(super) static KIND: Kind = Kind {
    name: "files",
    about: "what brings `setup.files` to nodes: a script and a list",
    render: Render::Aws(node_files::artifacts),
};
