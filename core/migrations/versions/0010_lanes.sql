-- Tries to sign in run in lanes: a known device's or a session's own (device), or the strangers' (empty).
alter table login_attempt
    -- What counts as one address: an IPv4 address, or the /64 of an IPv6 one.
    add column network text not null default '',
    add column device  text not null default '',
    -- A failure that no longer slows anybody down: its lane got in since, or an administrator lifted it.
    add column lifted  boolean not null default false;
update login_attempt set network = ip;
drop index login_attempt_ip;
create index login_attempt_network on login_attempt (network, at desc) where not succeeded;
