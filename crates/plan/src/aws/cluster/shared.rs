//! Shared storage: what the storage stack makes, what is already there, and what the spec adds.

use trainyard_spec::model::{Home, Mount, Shared};

use super::config::{CacheSettings, EfsSettings, FileSystemSettings, SharedStorage, VolumeSettings};
use crate::aws::{Context, Wire};

/// Where the shared file system appears.
pub const FSX: &str = "/fsx";
/// Where people's homes are.
pub const HOME: &str = "/home";

pub(super) fn storage(context: &Context<'_>) -> Vec<SharedStorage> {
    let spec = context.spec;
    let output = |stack: &str, name: &str| context.resolve(&Wire::output(stack, name));
    let mut list = Vec::new();
    match &spec.storage.home {
        Home::Volume { .. } => list.push(volume("home", HOME, output("home", "HomeVolumeId"))),
        Home::Openzfs { .. } => list.push(zfs("home", HOME, output("home", "HomeVolumeId"))),
        Home::Existing { id } => list.push(zfs("home", HOME, id.to_string().into())),
        Home::Ephemeral {} => {}
    }
    match &spec.storage.shared {
        Shared::Lustre(_) => list.push(lustre("fsx", FSX, output("storage", "LustreId"))),
        Shared::Existing { id } => list.push(lustre("fsx", FSX, id.to_string().into())),
        Shared::None {} => {}
    }
    list.extend(spec.storage.mounts.iter().enumerate().map(|(number, one)| mount(number + 1, one)));
    list
}

fn mount(number: usize, mount: &Mount) -> SharedStorage {
    let name = format!("mount-{number}");
    let path = mount.path().as_str();
    match mount {
        Mount::Volume { id, .. } => volume(&name, path, id.to_string().into()),
        Mount::Lustre { id, .. } => lustre(&name, path, id.to_string().into()),
        Mount::Openzfs { id, .. } => zfs(&name, path, id.to_string().into()),
        Mount::Efs { id, .. } => SharedStorage {
            efs_settings: Some(EfsSettings { file_system_id: id.to_string().into(), encryption_in_transit: true }),
            ..blank(&name, "Efs", path)
        },
        Mount::Ontap { id, .. } => SharedStorage {
            fsx_ontap_settings: Some(VolumeSettings { volume_id: id.to_string().into() }),
            ..blank(&name, "FsxOntap", path)
        },
        Mount::FileCache { id, .. } => SharedStorage {
            file_cache_settings: Some(CacheSettings { file_cache_id: id.to_string().into() }),
            ..blank(&name, "FileCache", path)
        },
    }
}

fn volume(name: &str, path: &str, volume_id: Wire) -> SharedStorage {
    SharedStorage { ebs_settings: Some(VolumeSettings { volume_id }), ..blank(name, "Ebs", path) }
}

fn zfs(name: &str, path: &str, volume_id: Wire) -> SharedStorage {
    SharedStorage { fsx_open_zfs_settings: Some(VolumeSettings { volume_id }), ..blank(name, "FsxOpenZfs", path) }
}

fn lustre(name: &str, path: &str, file_system_id: Wire) -> SharedStorage {
    SharedStorage { fsx_lustre_settings: Some(FileSystemSettings { file_system_id }), ..blank(name, "FsxLustre", path) }
}

fn blank(name: &str, storage_type: &'static str, path: &str) -> SharedStorage {
    SharedStorage {
        name: name.to_owned(),
        storage_type,
        mount_dir: path.to_owned(),
        ebs_settings: None,
        efs_settings: None,
        fsx_lustre_settings: None,
        fsx_open_zfs_settings: None,
        fsx_ontap_settings: None,
        file_cache_settings: None,
    }
}
