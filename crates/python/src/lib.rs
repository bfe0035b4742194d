//! Names, not logic: the Python front of Rowmill.

mod blocking;
mod buffer;
mod capsule;
mod column;
mod config;
mod dag;
mod database;
mod errors;
mod expect;
mod filter;
mod frame;
mod group;
mod infer;
mod join;
mod load;
mod matcher;
mod numpy;
mod packed;
mod parameter;
mod partition;
mod pump;
mod query;
mod row;
mod schema;
mod stream;
mod table_class;
mod text;
mod transaction;
mod value;

use pyo3::prelude::*;

/// The extension module behind the package `rowmill`.
#[pymodule(gil_used = false)]
mod _rowmill {
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // PyO3 imports it when the first value is looked at, and panics where a signal's handler raises meanwhile.
        module.py().import("datetime")?;
        module.add("TableClass", crate::table_class::class(module.py())?)?;
        // The package's version, as the crates have it.
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    #[pymodule_export]
    use crate::column::Column;
    #[pymodule_export]
    use crate::config::Options;
    #[pymodule_export]
    use crate::dag::{Dag, NodeSet};
    #[pymodule_export]
    use crate::database::Database;
    #[pymodule_export]
    use crate::expect::Expected;
    #[pymodule_export]
    use crate::frame::Frame;
    #[pymodule_export]
    use crate::group::GroupBy;
    #[pymodule_export]
    use crate::matcher::Matcher;
    #[pymodule_export]
    use crate::packed::{PackedClass, Record};
    #[pymodule_export]
    use crate::partition::Partition;
    #[pymodule_export]
    use crate::pump::{Pump, StreamHandle};
    #[pymodule_export]
    use crate::query::{
        Call, Col, Delete, Expr, Insert, Labeled, Page, Paging, Prepared, Quantified, Raw, Select,
        Source, Subquery, Update, case, coalesce, col, concat, count, delete, dense_rank, exists,
        geo_within, greatest, insert, least, lit, operators, parameter, rank, row_number, select,
        sql, update, upsert,
    };
    #[pymodule_export]
    use crate::row::{Row, restore};
    #[pymodule_export]
    use crate::schema::Schema;
    #[pymodule_export]
    use crate::stream::Stream;
    #[pymodule_export]
    use crate::transaction::Transaction;
}
