//! The OAuth server, and the API that takes its access tokens.
//!
//! A refresh hands out a new generation, an access token and a refresh token, and uses the refresh token up. One that is
//! used again is taken for stolen: the server revokes the whole family, access tokens included, or, within its grace
//! period, hands out one more generation. Nothing else revokes but a person, who may also log in again: then a new family
//! begins, and the one before is over.

/// A pair of access token and refresh token, by the order in which the server made them.
pub type Generation = u8;

/// The most generations: the first, and two for each of [`REQUESTS`](super::ledger::REQUESTS).
pub const GENERATIONS: Generation = 8;

/// What comes of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// A new generation.
    Granted(Generation),
    /// The refresh token is not good, or not any more.
    InvalidGrant,
    /// Something else went wrong: a lost answer, and for some clients a failed write.
    Error,
}

/// What the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    issued: Generation,
    /// The first generation of the family that is not over.
    first: Generation,
    used: u8,
    lapsed: Generation,
    expired: Generation,
    refused: u8,
    is_revoked: bool,
}

impl Server {
    /// One generation is out, and good.
    pub const FIRST: Self =
        Self { issued: 1, first: 0, used: 0, lapsed: 0, expired: 0, refused: 0, is_revoked: false };

    /// The newest generation.
    pub fn newest(&self) -> Generation {
        self.issued - 1
    }

    /// Whether the refresh token was used already.
    pub fn is_used(&self, token: Generation) -> bool {
        self.used & bit(token) != 0
    }

    /// Whether any refresh token was used.
    pub fn has_rotated(&self) -> bool {
        self.used != 0
    }

    /// Whether the family is revoked.
    pub fn is_revoked(&self) -> bool {
        self.is_revoked
    }

    /// Whether a credential is revoked, or of a family that is over.
    pub fn has_revoked(&self, token: Generation) -> bool {
        self.is_revoked || token < self.first
    }

    /// Whether there is room for one more generation: a bound of the model.
    pub fn has_room(&self) -> bool {
        self.issued < GENERATIONS
    }

    /// A person takes all credentials back. Whether that is new.
    pub fn revoke(&mut self) -> bool {
        !std::mem::replace(&mut self.is_revoked, true)
    }

    /// A person logs in, and has this generation.
    pub fn log_in(&mut self) -> Generation {
        self.is_revoked = false;
        self.first = self.issue();
        self.first
    }

    /// A refresh token arrives. `forgives` is whether a token that was used already is within its grace period.
    pub fn serve(&mut self, token: Generation, forgives: bool) -> Answer {
        if token < self.first {
            return Answer::InvalidGrant;
        }
        let again = self.is_used(token);
        self.used |= bit(token);
        if self.is_revoked || (again && !forgives) {
            self.is_revoked = true;
            return Answer::InvalidGrant;
        }
        Answer::Granted(self.issue())
    }

    fn issue(&mut self) -> Generation {
        assert!(self.has_room(), "no more than {GENERATIONS} generations are issued");
        self.issued += 1;
        self.newest()
    }

    /// Whether the API takes the access token.
    pub fn accepts(&self, token: Generation) -> bool {
        !self.has_revoked(token) && token >= self.expired && self.refused & bit(token) == 0
    }

    /// Whether a client that reads its clock finds the access token due for a refresh.
    pub fn is_lapsed(&self, token: Generation) -> bool {
        token < self.lapsed
    }

    /// Time passes: all access tokens come within the buffer that clients keep before their expiry. Whether that is new.
    pub fn lapse(&mut self) -> bool {
        std::mem::replace(&mut self.lapsed, self.issued) != self.issued
    }

    /// Time passes: what is due for a refresh is expired. Whether that is new.
    pub fn expire(&mut self) -> bool {
        std::mem::replace(&mut self.expired, self.lapsed) != self.lapsed
    }

    /// The API takes the newest access token no more, before its time. Whether that is new.
    pub fn refuse(&mut self) -> bool {
        let before = self.accepts(self.newest());
        self.refused |= bit(self.newest());
        before
    }
}

fn bit(token: Generation) -> u8 {
    1 << token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_begins_a_family_that_an_old_token_does_not_revoke() {
        let mut server = Server::FIRST;
        server.serve(0, false);
        assert!(server.revoke());
        assert_eq!((server.log_in(), server.is_revoked()), (2, false));
        let answers = [0, 1, 2].map(|token| server.serve(token, true));
        assert_eq!(answers, [Answer::InvalidGrant, Answer::InvalidGrant, Answer::Granted(3)]);
        assert_eq!([0, 1, 2, 3].map(|token| server.accepts(token)), [false, false, true, true]);
    }

    /// Name; refresh tokens as they come, and whether a second use is forgiven; the answers; whether the newest is good.
    type Case = (&'static str, &'static [(Generation, bool)], &'static [Answer], bool);

    #[test]
    fn refresh_token_is_good_for_one_generation() {
        use Answer::{Granted, InvalidGrant};
        #[rustfmt::skip]
        let cases: [Case; 5] = [
            ("once",                    &[(0, false)],                         &[Granted(1)],                           true),
            ("each once",               &[(0, false), (1, false)],             &[Granted(1), Granted(2)],               true),
            ("again",                   &[(0, false), (0, false)],             &[Granted(1), InvalidGrant],             false),
            ("again, within its grace", &[(0, false), (0, true), (1, false)],  &[Granted(1), Granted(2), Granted(3)],   true),
            ("another, once revoked",   &[(0, false), (0, false), (1, true)],  &[Granted(1), InvalidGrant, InvalidGrant], false),
        ];
        for (name, uses, answers, accepts) in cases {
            let mut server = Server::FIRST;
            let got: Vec<Answer> =
                uses.iter().map(|&(token, forgives)| server.serve(token, forgives)).collect();
            assert_eq!((got.as_slice(), server.accepts(server.newest())), (answers, accepts), "{name}");
        }
    }
}
