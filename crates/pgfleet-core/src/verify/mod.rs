//! Checks: declared expectations, the SQL that looks, and the verdict. Data in, data out.
