//! The address of a client: that of the connection, or what trusted proxies say (RFC 7239).

use std::net::IpAddr;

/// A network whose addresses are trusted proxies. `None` in place of the address: connections without one, over a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxies {
    network: Option<(IpAddr, u8)>,
}

/// Reads a list of addresses and networks, and `unix`, separated by commas.
///
/// # Errors
/// The item that is none of these.
pub fn parse_proxies(text: &str) -> Result<Vec<Proxies>, String> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            if item == "unix" {
                return Ok(Proxies { network: None });
            }
            let (address, bits) = item.split_once('/').map_or((item, None), |(address, bits)| (address, Some(bits)));
            let address: IpAddr =
                address.parse().map_err(|_| format!("\"{item}\" is neither unix nor an address or network."))?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Ok(most), str::parse).ok().filter(|bits| *bits <= most);
            let bits = bits.ok_or_else(|| format!("\"{item}\" is neither unix nor an address or network."))?;
            Ok(Proxies { network: Some((address, bits)) })
        })
        .collect()
}

impl Proxies {
    fn has(self, address: Option<IpAddr>) -> bool {
        match (self.network, address) {
            (None, None) => true,
            (Some((network, bits)), Some(address)) => {
                let (network, address) = (network.to_canonical(), address.to_canonical());
                let shift = |width: u32| width.saturating_sub(u32::from(bits));
                match (network, address) {
                    (IpAddr::V4(n), IpAddr::V4(a)) => {
                        (n.to_bits() ^ a.to_bits()).checked_shr(shift(32)).unwrap_or(0) == 0
                    }
                    (IpAddr::V6(n), IpAddr::V6(a)) => {
                        (n.to_bits() ^ a.to_bits()).checked_shr(shift(128)).unwrap_or(0) == 0
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }
}

/// The address of the client: the first one from the right that is not that of a trusted proxy. `None` if it is unknown: a connection over a Unix
/// socket, or a proxy that does not tell.
///
/// `connection`: the other end of the connection. `forwarded`, `x_forwarded_for`: the values of these fields. Only the second one counts if there are both.
pub fn client(
    connection: Option<IpAddr>,
    proxies: &[Proxies],
    forwarded: Option<&str>,
    x_forwarded_for: Option<&str>,
) -> Option<IpAddr> {
    let is_trusted = |address: Option<IpAddr>| proxies.iter().any(|proxies| proxies.has(address));
    if proxies.is_empty() || !is_trusted(connection) {
        return connection;
    }
    // Most proxies write X-Forwarded-For only, and pass a Forwarded on that anybody may have written.
    let said: Vec<&str> = match (x_forwarded_for, forwarded) {
        (Some(list), _) => list.split(',').collect(),
        (None, Some(forwarded)) => split(forwarded, ',').map(for_of).collect(),
        (None, None) => Vec::new(),
    };
    let mut nearest = connection;
    for node in said.iter().rev() {
        let Some(address) = address_of(node) else {
            // What is to the left of something that is not an address may be anybody's.
            return nearest;
        };
        nearest = Some(address);
        if !is_trusted(nearest) {
            break;
        }
    }
    nearest
}

/// The parts of a text between separators that are not within quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut in_quotes, mut is_escaped) = (false, false);
    text.split(move |c: char| {
        let was_escaped = is_escaped;
        is_escaped = c == '\\' && in_quotes && !was_escaped;
        in_quotes ^= c == '"' && !was_escaped;
        c == separator && !in_quotes
    })
}

/// The value of the parameter `for` of an element of Forwarded; empty without one.
fn for_of(element: &str) -> &str {
    split(element, ';')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))
        .map_or("", |(_, value)| value.trim())
}

/// The address of a node (RFC 7239, section 6), with or without a port and quotes.
fn address_of(node: &str) -> Option<IpAddr> {
    let node = node.trim().trim_matches('"');
    if let Some(rest) = node.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        return (port.is_empty() || port.starts_with(':')).then(|| address.parse().ok()).flatten();
    }
    node.parse().ok().or_else(|| node.rsplit_once(':')?.0.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4))
}

/// What counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that one subscriber gets.
pub fn network(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unix".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let prefix = std::net::Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
            format!("{prefix}/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(connection: &str, proxies: &str, forwarded: Option<&str>, xff: Option<&str>) -> String {
        let connection = (connection != "unix").then(|| connection.parse().unwrap());
        network(client(connection, &parse_proxies(proxies).unwrap(), forwarded, xff))
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (connection, proxies, forwarded, xff, is) in [
            ("10.0.0.1", "", None, Some("1.1.1.1"), "10.0.0.1"),
            ("10.0.0.1", "10.0.0.2", None, Some("1.1.1.1"), "10.0.0.1"),
            ("10.0.0.1", "10.0.0.0/8", None, Some("1.1.1.1"), "1.1.1.1"),
            ("10.0.0.1", "10.0.0.0/8", None, Some("6.6.6.6, 1.1.1.1, 10.0.0.2"), "1.1.1.1"),
            ("10.0.0.1", "10.0.0.0/8", None, Some("6.6.6.6, evil, 10.0.0.2"), "10.0.0.2"),
            ("10.0.0.1", "10.0.0.0/8", None, None, "10.0.0.1"),
            ("10.0.0.1", "10.0.0.0/8", None, Some("10.0.0.3"), "10.0.0.3"),
            ("unix", "", None, Some("1.1.1.1"), "unix"),
            ("unix", "unix", None, Some("1.1.1.1:80"), "1.1.1.1"),
            ("::ffff:10.0.0.1", "10.0.0.1", None, Some("1.1.1.1"), "1.1.1.1"),
            ("unix", "unix", Some("for=1.1.1.1;by=x, For=\"[2001:db8:1:2:3::9]:80\""), None, "2001:db8:1:2::/64"),
            ("unix", "unix", Some("for=\"a,for=1.1.1.1\""), None, "unix"),
            ("unix", "unix", Some("for=1.1.1.1"), Some("9.9.9.9"), "9.9.9.9"),
            ("unix", "unix", Some("for=_hidden"), None, "unix"),
            ("unix", "unix, 0.0.0.0/0", None, Some("3.3.3.3, 2.2.2.2"), "3.3.3.3"),
            ("2001:db8::1", "2001:db8::/32", None, Some("2001:db9::1"), "2001:db9::/64"),
        ] {
            assert_eq!(seen(connection, proxies, forwarded, xff), is, "{connection} {proxies} {forwarded:?} {xff:?}");
        }
        for wrong in ["10.0.0.0/33", "host", "::/129", "10.0.0.1/x"] {
            assert!(parse_proxies(wrong).is_err(), "{wrong}");
        }
    }
}
