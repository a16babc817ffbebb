//! A value of any type out of bytes.
//!
//! Each choice takes one byte: which variant, which number, how long a list. So every event can come of some bytes, whatever is
//! added to the vocabulary, and a fuzzer that changes one byte changes one choice. Numbers are small and near each other,
//! because the numbers of one history are.

use serde::de::value::{Error, U32Deserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserializer, forward_to_deserialize_any};

/// The longest list.
const LIST_MAX: u8 = 4;

/// Bytes that choices are taken from. When they are used up, every further choice is 0.
#[derive(Clone, Debug)]
pub struct Bytes<'a> {
    left: &'a [u8],
}

impl<'a> Bytes<'a> {
    /// All of them.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// Whether they are used up.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The next one.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.left.split_first() else { return 0 };
        self.left = rest;
        *first
    }

    /// A value of a type that is read without looking at the input: numbers, enums, structs, lists, options.
    ///
    /// # Panics
    /// If the type needs to look at the input, or refuses what it gets.
    pub fn make<T: DeserializeOwned>(&mut self) -> T {
        T::deserialize(self).expect("every choice makes a value")
    }

    /// Mostly a small number; now and then the greatest, and its neighbours.
    fn number(&mut self, max: u64) -> u64 {
        match self.byte() {
            byte @ 0..=179 => u64::from(byte % 4),
            byte @ 180..=249 => u64::from(byte % 10),
            byte => max - u64::from(byte - 250),
        }
    }
}

macro_rules! numbers {
    ($($name:ident $visit:ident $type:ident;)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let number = self.number(u64::from($type::MAX));
            visitor.$visit($type::try_from(number).expect("at most the greatest"))
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Bytes<'_> {
    type Error = Error;

    numbers! {
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom(
            "there is nothing to look at: only types that say what they want can be made",
        ))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.byte() % 2 == 1)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.byte() % 2 == 1 { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let items = self.byte() % (LIST_MAX + 1);
        visitor.visit_seq(Items { bytes: self, left: usize::from(items) })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { bytes: self, left: len })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { bytes: self, left: fields.len() })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant = usize::from(self.byte()) % variants.len();
        visitor.visit_enum(Variant { bytes: self, variant: u32::try_from(variant).expect("few variants") })
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple_struct map identifier
        ignored_any
    }
}

/// The items of a list, or the fields of a struct in their order.
struct Items<'b, 'a> {
    bytes: &'b mut Bytes<'a>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.bytes).map(Some)
    }
}

/// One variant of an enum.
struct Variant<'b, 'a> {
    bytes: &'b mut Bytes<'a>,
    variant: u32,
}

impl<'de, 'b, 'a> EnumAccess<'de> for Variant<'b, 'a> {
    type Error = Error;
    type Variant = &'b mut Bytes<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant), Error> {
        let which: U32Deserializer<Error> = self.variant.into_deserializer();
        Ok((seed.deserialize(which)?, self.bytes))
    }
}

impl<'de> VariantAccess<'de> for &mut Bytes<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(fields.len(), visitor)
    }
}
