//! Reading data files, of this format or an earlier one: a column that a file does not have is NULL.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use kforensic_event::{COLUMNS, Cell, Column, columns};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::ground::error::LakeError;
use crate::ground::hash::sha256_of_file;
use crate::table::data_file::Partition;
use crate::table::snapshot::DataFile;

/// The cells of a row, with their columns.
pub(crate) type Cells<'a> = [(&'static Column, Cell<'a>)];

/// The rows of a file, with the columns called `names`, or all of them, in the order of the table.
///
/// # Errors
/// When the file cannot be read, or has a column that the table does not have.
pub(crate) fn batches(
    file: &DataFile,
    names: Option<&[&str]>,
) -> Result<impl Iterator<Item = Result<RecordBatch, LakeError>>, LakeError> {
    let open = File::open(&file.path).map_err(LakeError::io("open", &file.path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(open).map_err(LakeError::parquet("read", &file.path))?;
    let table = columns::schema();
    for field in builder.schema().fields() {
        let known = columns::find(field.name()).map(|(at, _)| table.field(at));
        if known.is_none_or(|known| known.data_type() != field.data_type()) {
            let problem = format!("`{}` has a column `{}` that the table does not have", file.name, field.name());
            return Err(LakeError::Altered { problem });
        }
    }
    let wanted: Vec<usize> =
        (0..COLUMNS.len()).filter(|at| names.is_none_or(|names| names.contains(&COLUMNS[*at].name))).collect();
    let stored = |at: &usize| builder.schema().index_of(COLUMNS[*at].name).ok();
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().filter_map(stored));
    let reader = builder.with_projection(mask).build().map_err(LakeError::parquet("read", &file.path))?;
    let schema = Arc::new(table.project(&wanted)?);
    Ok(reader.map(move |batch| {
        let batch = batch?;
        let columns = wanted.iter().map(|at| -> ArrayRef {
            let found = batch.column_by_name(COLUMNS[*at].name).cloned();
            found.unwrap_or_else(|| new_null_array(&COLUMNS[*at].kind.arrow_type(), batch.num_rows()))
        });
        Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect())?)
    }))
}

/// Calls `each` with the named columns of every row (all, when none are named), in the order of the table.
pub(crate) fn rows(file: &DataFile, names: Option<&[&str]>, each: &mut dyn FnMut(&Cells<'_>)) -> Result<(), LakeError> {
    for batch in batches(file, names)? {
        let batch = batch?;
        let fields = batch.schema();
        let found = fields.fields().iter().filter_map(|field| columns::find(field.name())).map(|(_, column)| column);
        let found: Vec<&'static Column> = found.collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<_> = found
                .iter()
                .zip(batch.columns())
                .map(|(column, array)| (*column, Cell::read(array, column.kind, row)))
                .collect();
            each(&cells);
        }
    }
    Ok(())
}

/// Fails when a file is not what was committed: what somebody altered must not get a new hash, and with it the ledger's
/// word that it is right.
pub(crate) fn check_hash(file: &DataFile) -> Result<(), LakeError> {
    let sha256 = sha256_of_file(&file.path).map_err(LakeError::io("read", &file.path))?;
    if sha256 != file.sha256 {
        let problem = format!("`{}` has SHA-256 {sha256} instead of {}", file.path.display(), file.sha256);
        return Err(LakeError::Altered { problem });
    }
    Ok(())
}

/// The partition of a file whose rows are to be written anew.
pub(crate) fn partition_of(file: &DataFile) -> Result<Partition, LakeError> {
    Partition::of_file(file).ok_or_else(|| LakeError::Altered {
        problem: format!("`{}` lies in a folder that this version of kforensic does not make", file.name),
    })
}
