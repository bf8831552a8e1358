//! What a certificate says of itself, for the messages about one that is refused (FLD-27).
//!
//! Read as far as needed: the version, and whether it is an authority's. Nothing is verified here.

/// A certificate's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Certificate {
    /// 1 to 3.
    version: u8,
    /// Basic constraints: it may issue others.
    is_authority: bool,
}

/// What may be wrong with the certificates of a kubeconfig: `authorities` of the server, `client` of the user, in DER.
/// Said only when they were refused: some servers and libraries take them.
#[must_use]
pub fn doubts<A: AsRef<[u8]>>(authorities: &[A], client: Option<&[u8]>) -> Vec<String> {
    let authorities: Vec<Certificate> = authorities.iter().filter_map(|der| read(der.as_ref())).collect();
    let mut doubts = Vec::new();
    if authorities.iter().any(|one| one.version == 3 && !one.is_authority) {
        doubts.push("`certificate-authority-data` holds a certificate that is no authority's (it says `CA:FALSE`, as a server's own does); give the certificate of the authority that issued the server's".to_owned());
    }
    if let Some(version) = client.and_then(read).map(|one| one.version).filter(|version| *version < 3) {
        doubts.push(format!("`client-certificate-data` is an X.509 version {version} certificate, and only version 3 is taken; issue it anew with extensions"));
    }
    doubts
}

/// One element: its tag, its content, and what follows.
fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if !(1..=4).contains(&count) || rest.len() < count {
            return None;
        }
        let (bytes, rest) = rest.split_at(count);
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    (rest.len() >= length).then(|| (tag, &rest[..length], &rest[length..]))
}

/// The elements in a content.
fn elements(mut input: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, content, rest) = element(input)?;
        input = rest;
        Some((tag, content))
    })
}

/// `None`: it is no certificate.
fn read(der: &[u8]) -> Option<Certificate> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    const EXTENSIONS: u8 = 0xa3;
    const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
    let (_, signed, _) = element(der).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, body, _) = element(signed).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let version = match elements(body).next()? {
        (VERSION, version) => elements(version).next()?.1.last()?.checked_add(1)?,
        _ => 1,
    };
    let extensions = elements(body).find(|(tag, _)| *tag == EXTENSIONS);
    let extensions = extensions.and_then(|(_, wrapped)| elements(wrapped).next()).map_or(&[][..], |(_, list)| list);
    let constraints = elements(extensions).find_map(|(_, extension)| {
        let (_, id) = elements(extension).next()?;
        let (_, value) = elements(extension).last().filter(|_| id == BASIC_CONSTRAINTS)?;
        Some(elements(value).next()?.1)
    });
    let is_authority =
        constraints.and_then(|list| elements(list).next()).is_some_and(|(tag, value)| tag == 1 && value != [0]);
    Some(Certificate { version, is_authority })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const VERSION_1: &str = "MIIBEzCBuwIUfUc2sGUD39TIZIqKGXlMc+FXVi8wCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBdTAgFw0yNjExMjgyMDI1MzFaGA8yMTI2MTEwNDIwMjUzMVowDDEKMAgGA1UEAwwBdTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF8tNeNrFKVOSJ6J1BPj1S/+NvzGh73P7sJ1FdWm3lFlTGSaYq8Fhz0KIOFBIRnFutK9itPiWNAZpebl3kun8EcwCgYIKoZIzj0EAwIDRwAwRAIgCy97eQZCFHItKJxzr45zKtAgXL1Jysyymw8kZq3uVCICIDW5shs1u1eXqgry+2nbK6JrQS6kiXj3Y8a5rtDrkP/1";
    const LEAF: &str = "MIIBSzCB8aADAgECAhQOW20GNhIYxA0c/QUnPMRuKoC1NDAKBggqhkjOPQQDAjAMMQowCAYDVQQDDAF1MCAXDTI2MTEyODIwMjUzMVoYDzIxMjYxMTA0MjAyNTMxWjAMMQowCAYDVQQDDAF1MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXy0142sUpU5InonUE+PVL/42/MaHvc/uwnUV1abeUWVMZJpirwWHPQog4UEhGcW60r2K0+JY0Bml5uXeS6fwR6MvMC0wDAYDVR0TAQH/BAIwADAdBgNVHQ4EFgQU1Bp/B/07pOc5vVAtaFuQgiV+lOUwCgYIKoZIzj0EAwIDSQAwRgIhALuKSNGLbI0z/4Li3K4kdE5Nj9U7UcQX8kiPKTIVpzo0AiEA+vhPnwC9ZqQDMJ5zkg6kFvWUil57xBHQ2YqzlE1PMqY=";
    const AUTHORITY: &str = "MIIBTDCB9KADAgECAhRE377+AoShltLVb+GqrFl+YU4P8zAKBggqhkjOPQQDAjAMMQowCAYDVQQDDAF1MCAXDTI2MTEyODIwMjUzMVoYDzIxMjYxMTA0MjAyNTMxWjAMMQowCAYDVQQDDAF1MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXy0142sUpU5InonUE+PVL/42/MaHvc/uwnUV1abeUWVMZJpirwWHPQog4UEhGcW60r2K0+JY0Bml5uXeS6fwR6MyMDAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQU1Bp/B/07pOc5vVAtaFuQgiV+lOUwCgYIKoZIzj0EAwIDRwAwRAIgTMAzrQ+66tOKMWVLvsbwHNJ3VSx0Xh0K7I1LSfpz7RACIGngalOPrVD3Ws3ntjIaiJ2rJ9GAv+3RF3SImFz8bA/c";

    #[test]
    fn fld_27_a_leaf_as_authority_and_an_old_client_certificate_are_named() {
        let der = |text: &str| STANDARD.decode(text).unwrap();
        let said = |authority: &str, client: &str| doubts(&[der(authority)], Some(&der(client)));
        assert_eq!(said(AUTHORITY, LEAF), [""; 0]);
        assert_eq!(said(VERSION_1, AUTHORITY), [""; 0], "an old root is taken");
        let both = said(LEAF, VERSION_1);
        assert!(both[0].contains("`certificate-authority-data`") && both[0].contains("CA:FALSE"), "{both:?}");
        assert!(both[1].contains("`client-certificate-data` is an X.509 version 1"), "{both:?}");
    }

    #[test]
    fn fld_27_no_bytes_are_read_beyond_their_end() {
        let whole = STANDARD.decode(LEAF).unwrap();
        for length in 0..whole.len() {
            let _ = doubts(&[&whole[..length]], Some(&whole[length..]));
        }
        for byte in 0..=255 {
            assert_eq!(doubts(&[[0x30, byte, byte, byte]], Some(&[byte; 9])), [""; 0]);
        }
    }
}
