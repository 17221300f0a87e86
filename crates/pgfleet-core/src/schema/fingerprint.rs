//! A number for a schema.
//!
//! Invariant: what does not count in comparisons does not count here: order of table columns,
//! versions of extensions, spelling that differs between major versions.

use sha2::{Digest, Sha256};

use super::{Body, Object, Schema, spelling};

/// The SHA-256 of the schema's canonical form, in hexadecimal.
pub(super) fn fingerprint(schema: &Schema) -> String {
    let mut hash = Sha256::new();
    for object in &schema.objects {
        // Plain data always has a form in JSON.
        let text = serde_json::to_vec(&canonical(object)).unwrap_or_default();
        hash.update(&text);
        hash.update(b"\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The object without what does not count.
pub(super) fn canonical(object: &Object) -> Object {
    let mut object = object.clone();
    match &mut object.body {
        Body::Extension(extension) => {
            extension.version.clear();
            extension.relocatable = false;
        }
        Body::Table(table) => {
            // PostgreSQL has no way to change it but by leaving and joining the parent.
            table.columns.iter_mut().for_each(|column| column.inherited = false);
            table.columns.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Body::Constraint(constraint) => constraint.inherited = false,
        Body::View(view) | Body::MaterializedView(view) => {
            view.definition = spelling::canonical_view(&view.definition);
        }
        _ => {}
    }
    object
}
