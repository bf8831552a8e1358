//! Tables of which no row can be missing.

/// An enum and what is known about each of its variants, in one place: a variant without a row does not compile, and
/// there is no row that nothing names.
macro_rules! table {
    (
        $(#[$about:meta])*
        $public:vis enum $name:ident: $row:ty {
            $($variant:ident => $value:expr,)+
        }
    ) => {
        $(#[$about])*
        $public enum $name {
            $($variant,)+
        }

        impl $name {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            const fn row(self) -> &'static $row {
                match self {
                    $(Self::$variant => const { &$value },)+
                }
            }
        }
    };
}

pub(crate) use table;
