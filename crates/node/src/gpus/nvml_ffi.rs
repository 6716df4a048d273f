//! What nvml-wrapper has no safe call for: field values with a scope, partitions' numbers, telling handles apart.
#![allow(unsafe_code, reason = "NVML is C; no other file of this crate may")]

use std::ffi::c_int;

use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings::{
    nvmlFieldValue_t, nvmlReturn_enum_NVML_SUCCESS as SUCCESS, nvmlValueType_enum_NVML_VALUE_TYPE_DOUBLE as DOUBLE,
    nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_INT as INT, nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_LONG_LONG as LONG,
    nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_INT as UINT, nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG as ULONG,
    nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG_LONG as ULONGLONG,
    nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_SHORT as USHORT,
};

/// Stands for all links.
pub(super) const ALL: u32 = u32::MAX;

/// One value of the device's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// `NVML_FI_…`.
    pub(super) id: u32,
    /// A link, or [`ALL`]; 0 where the field has none.
    pub(super) scope: u32,
    /// `None` where the device does not have it.
    pub(super) value: Option<u64>,
    /// When it was read, in microseconds.
    pub(super) at: i64,
}

impl Field {
    pub(super) fn new(id: u32, scope: u32) -> Self {
        Self { id, scope, value: None, at: 0 }
    }
}

/// Fills the fields in, with one call.
pub(super) fn fill(nvml: &Nvml, device: &Device<'_>, fields: &mut [Field]) {
    let Ok(call) = nvml.lib().nvmlDeviceGetFieldValues.as_ref() else { return };
    let Ok(count) = c_int::try_from(fields.len()) else { return };
    let raw = |field: &Field| {
        // SAFETY: the structure is plain numbers, for which all zeros are valid.
        let mut raw: nvmlFieldValue_t = unsafe { std::mem::zeroed() };
        raw.fieldId = field.id;
        raw.scopeId = field.scope;
        raw
    };
    let mut values: Vec<nvmlFieldValue_t> = fields.iter().map(raw).collect();
    // SAFETY: the handle is a device's of this library, and `values` has `count` of what it fills in.
    let result = unsafe { call(device.handle(), count, values.as_mut_ptr()) };
    if result != SUCCESS {
        return;
    }
    for (field, raw) in fields.iter_mut().zip(&values) {
        field.value = (raw.nvmlReturn == SUCCESS).then(|| number(raw)).flatten();
        field.at = raw.timestamp;
    }
}

/// A whole number that is not negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn number(raw: &nvmlFieldValue_t) -> Option<u64> {
    // SAFETY: the library says which member it wrote; each is plain bits, of which the union has enough.
    unsafe {
        match raw.valueType {
            DOUBLE => Some(raw.value.dVal).filter(|value| (0.0..1e18).contains(value)).map(|value| value as u64),
            UINT => Some(raw.value.uiVal.into()),
            ULONG => Some(raw.value.ulVal),
            ULONGLONG => Some(raw.value.ullVal),
            LONG => raw.value.sllVal.try_into().ok(),
            INT => raw.value.siVal.try_into().ok(),
            USHORT => Some(raw.value.usVal.into()),
            _ => None,
        }
    }
}

/// The number of the GPU instance that a partition's handle stands for.
pub(super) fn instance_id(nvml: &Nvml, partition: &Device<'_>) -> Option<u32> {
    let call = nvml.lib().nvmlDeviceGetGpuInstanceId.as_ref().ok()?;
    let mut id = 0;
    // SAFETY: the handle is of this library, and `id` is a place for one number.
    let result = unsafe { call(partition.handle(), &raw mut id) };
    (result == SUCCESS).then_some(id)
}

/// Whether two handles are one device's.
pub(super) fn is_same(one: &Device<'_>, other: &Device<'_>) -> bool {
    // SAFETY: the handles are only compared.
    unsafe { one.handle() == other.handle() }
}

/// Whether what is taken from the library can be given back: nvml-wrapper panics where it cannot.
pub(super) fn can_give_back(nvml: &Nvml) -> (bool, bool) {
    (nvml.lib().nvmlGpmSampleFree.is_ok(), nvml.lib().nvmlEventSetFree.is_ok())
}
