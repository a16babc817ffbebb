//! How forms and records are written down: once for all machines.
//!
//! A form is the kernel's words said again, so that a change of those does not compile before somebody has decided what it
//! means for what was written.

/// The words of a form that is not the kernel's any more.
macro_rules! words {
    (enum $name:ident { $($variant:ident $({ $($field:ident: $type:ty),* })? $(($inside:ty))?,)* }) => {
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum $name {
            $($variant $({ $($field: $type),* })? $(($inside))?,)*
        }
    };
}

/// A form beside the kernel's type of the same name, and the way in both directions.
macro_rules! form {
    (enum $name:ident of $home:ident { $(
        $variant:ident $({ $($field:ident: $type:ty),* })? $(($inner:ident: $inside:ty))?,
    )* }) => {
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum $name {
            $($variant $({ $($field: $type),* })? $(($inside))?,)*
        }

        impl From<$home::$name> for $name {
            fn from(value: $home::$name) -> Self {
                match value {$(
                    $home::$name::$variant $({ $($field),* })? $(($inner))? =>
                        Self::$variant $({ $($field: $field.into()),* })? $(($inner.into()))?,
                )*}
            }
        }

        impl From<$name> for $home::$name {
            fn from(value: $name) -> Self {
                match value {$(
                    $name::$variant $({ $($field),* })? $(($inner))? =>
                        Self::$variant $({ $($field: $field.into()),* })? $(($inner.into()))?,
                )*}
            }
        }
    };
    (struct $name:ident of $home:ident { $($field:ident: $type:ty,)* }) => {
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(pub(super) $field: $type,)*
        }

        impl From<$home::$name> for $name {
            fn from(value: $home::$name) -> Self {
                Self { $($field: value.$field,)* }
            }
        }

        impl From<$name> for $home::$name {
            fn from(value: $name) -> Self {
                Self { $($field: value.$field,)* }
            }
        }
    };
}

/// The record of a machine's event: the forms that are read, and the one that is written. An old form says itself how it is
/// read, by `From` into the event.
macro_rules! record {
    (
        $(#[$doc:meta])*
        $record:ident of $event:ty {
            $(read $old:ident $old_number:literal $old_form:ty,)*
            write $newest:ident $number:literal $form:ty,
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $record(Version);

        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        enum Version {
            $($old($old_form),)*
            $newest($form),
        }

        impl $record {
            /// The version that is written, from 1. Those before it are only read.
            pub const NEWEST: u32 = $number;

            /// The version of its form.
            pub fn version(&self) -> u32 {
                match self.0 {
                    $(Version::$old(_) => $old_number,)*
                    Version::$newest(_) => Self::NEWEST,
                }
            }
        }

        impl From<$event> for $record {
            fn from(event: $event) -> Self {
                Self(Version::$newest(event.into()))
            }
        }

        impl From<$record> for $event {
            fn from(record: $record) -> Self {
                match record.0 {
                    $(Version::$old(event) => event.into(),)*
                    Version::$newest(event) => event.into(),
                }
            }
        }
    };
}
