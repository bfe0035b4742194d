#![allow(unsafe_code)]
//! Columns for others, by the Arrow C data interface.

mod layout;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array as _, ArrayRef, StructArray};
use arrow_schema::{DataType, Field as ArrowField, Fields};

use crate::{Batch, Column, ColumnError, Field, Schema};

/// An `ArrowSchema` of the C data interface, released when dropped.
#[derive(Debug)]
#[repr(transparent)]
pub struct ArrowSchema(FFI_ArrowSchema);

/// An `ArrowArray` of the C data interface, released when dropped.
#[derive(Debug)]
#[repr(transparent)]
pub struct ArrowArray(FFI_ArrowArray);

/// An `ArrowArrayStream` of the C stream interface, released when dropped.
#[derive(Debug)]
#[repr(transparent)]
pub struct ArrowStream(FFI_ArrowArrayStream);

/// How text and bytes are laid out for someone else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextLayout {
    /// 64-bit offsets, as they are kept here: nothing is copied. pandas takes these without a copy.
    #[default]
    Large,
    /// 32-bit offsets: those are made, the text is shared; an error past 2 GiB in one column.
    Small,
    /// Views of 16 bytes a row, over the same text: Polars takes these without a copy.
    View,
}

impl ArrowSchema {
    /// What an exporter was asked for; `None` where it says nothing that can be understood.
    fn requested(&self) -> Option<ArrowField> {
        // A released schema has no format, which arrow's reader takes for granted.
        self.0.release()?;
        ArrowField::try_from(&self.0).ok()
    }
}

impl Schema {
    /// The schema for `__arrow_c_schema__`: a struct of all fields.
    ///
    /// # Errors
    /// If a name contains a zero byte, which the interface has no place for.
    pub fn export(&self) -> Result<ArrowSchema, ColumnError> {
        let fields = self.fields.iter().map(|field| arrow_field(field, field.kind.storage()));
        let kind = DataType::Struct(fields.collect());
        Ok(ArrowSchema(FFI_ArrowSchema::try_from(&kind)?))
    }
}

impl Field {
    /// The schema for the `__arrow_c_schema__` of a single column.
    ///
    /// # Errors
    /// If the name contains a zero byte.
    pub fn export(&self) -> Result<ArrowSchema, ColumnError> {
        let field = arrow_field(self, self.kind.storage());
        Ok(ArrowSchema(FFI_ArrowSchema::try_from(&field)?))
    }
}

impl Batch {
    /// A stream of this one batch, for `__arrow_c_stream__`; each call makes a new one.
    ///
    /// What `requested` says of the layout of text, bytes and lists is done (32-bit or 64-bit
    /// offsets, views), column by column; everything else in it is ignored, as the interface
    /// permits.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowmill_columns::{Batch, Field, Schema, Type, build::Bytes, import_stream};
    /// let mut names = Bytes::text();
    /// names.push(b"Ada");
    /// let schema = Arc::new(Schema::new(vec![Field::new("name", Type::Text)]));
    /// let batch = Batch::new(schema, vec![names.finish().unwrap()], 1);
    /// let mut stream = batch.export_stream(None)?;
    /// // SAFETY: the pointer is to a stream that nobody else reads.
    /// let back = unsafe { import_stream((&raw mut stream).cast()) }?;
    /// assert_eq!(back, batch);
    /// # Ok::<(), rowmill_columns::ColumnError>(())
    /// ```
    ///
    /// # Errors
    /// If text is too large for the offsets asked for, or a name contains a zero byte.
    pub fn export_stream(
        &self,
        requested: Option<&ArrowSchema>,
    ) -> Result<ArrowStream, ColumnError> {
        let wanted = requested.and_then(ArrowSchema::requested);
        let fields = match wanted.as_ref().map(ArrowField::data_type) {
            Some(DataType::Struct(fields)) if fields.len() == self.columns().len() => Some(fields),
            _ => None,
        };
        self.stream(|at, _| fields.map(|fields| fields[at].data_type().clone()))
    }

    /// As [`export_stream`](Self::export_stream), with all text and bytes in one layout.
    ///
    /// # Errors
    /// As [`export_stream`](Self::export_stream).
    pub fn export_stream_as(&self, text: TextLayout) -> Result<ArrowStream, ColumnError> {
        self.stream(|_, kind| layout::with_text(kind, text))
    }

    /// The batch as one struct array, for `__arrow_c_array__`; `requested` as for
    /// [`export_stream`](Self::export_stream).
    ///
    /// # Errors
    /// As [`export_stream`](Self::export_stream).
    pub fn export_array(
        &self,
        requested: Option<&ArrowSchema>,
    ) -> Result<(ArrowSchema, ArrowArray), ColumnError> {
        stream::first(&self.export_stream(requested)?)
    }

    fn stream(
        &self,
        wanted: impl Fn(usize, &DataType) -> Option<DataType>,
    ) -> Result<ArrowStream, ColumnError> {
        let mut fields = Vec::with_capacity(self.columns().len());
        let mut arrays = Vec::with_capacity(self.columns().len());
        for (at, (field, column)) in self.schema().fields.iter().zip(self.columns()).enumerate() {
            let array = column.array();
            let array = lay_out(array, wanted(at, array.data_type()))
                .map_err(|error| error.in_column(&field.name))?;
            fields.push(arrow_field(field, array.data_type().clone()));
            arrays.push(array);
        }
        let fields = Fields::from(fields);
        let array = StructArray::try_new_with_length(fields, arrays, None, self.rows())?;
        let field = ArrowField::new("", array.data_type().clone(), false);
        stream::of(field, Arc::new(array))
    }
}

impl Column {
    /// The column as a stream of one array, named and typed by `field`; `requested` as for
    /// [`Batch::export_stream`].
    ///
    /// # Errors
    /// As [`Batch::export_stream`].
    pub fn export_stream(
        &self,
        field: &Field,
        requested: Option<&ArrowSchema>,
    ) -> Result<ArrowStream, ColumnError> {
        let wanted = requested.and_then(ArrowSchema::requested);
        let array = lay_out(self.array(), wanted.map(|wanted| wanted.data_type().clone()))
            .map_err(|error| error.in_column(&field.name))?;
        stream::of(arrow_field(field, array.data_type().clone()), array)
    }

    /// The column as one array, for `__arrow_c_array__`.
    ///
    /// # Errors
    /// As [`Batch::export_stream`].
    pub fn export_array(
        &self,
        field: &Field,
        requested: Option<&ArrowSchema>,
    ) -> Result<(ArrowSchema, ArrowArray), ColumnError> {
        stream::first(&self.export_stream(field, requested)?)
    }
}

fn lay_out(array: &ArrayRef, wanted: Option<DataType>) -> Result<ArrayRef, ColumnError> {
    let changed = wanted.map(|wanted| layout::change(array, &wanted)).transpose()?.flatten();
    Ok(changed.unwrap_or_else(|| array.clone()))
}

fn arrow_field(field: &Field, storage: DataType) -> ArrowField {
    let metadata: HashMap<_, _> = field.kind.metadata().into_iter().collect();
    ArrowField::new(&*field.name, storage, true).with_metadata(metadata)
}
