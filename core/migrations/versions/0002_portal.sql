-- The portal's own tables: sign-ins, tries to sign in, and each user's taste. User numbers are those of ab_user.
create table portal_session (
    id          bigint generated always as identity primary key,
    user_id     integer not null,
    -- The cookie holds a random token; only its SHA-256 is here.
    token_hash  bytea not null constraint portal_session_token_once unique
                constraint portal_session_token_hashed check (octet_length(token_hash) = 32),
    -- What the account's password and role were at sign-in; when it no longer fits, the session is dead.
    stamp       bytea not null,
    created_at  timestamptz not null,
    seen_at     timestamptz not null,
    ends_at     timestamptz not null constraint portal_session_ends_later check (ends_at > created_at),
    ended_at    timestamptz,
    ended_why   text,
    ip          text not null,
    agent       text not null,
    constraint portal_session_end_has_reason check ((ended_at is null) = (ended_why is null))
);
create index portal_session_open on portal_session (user_id) where ended_at is null;

create table login_attempt (
    id         bigint generated always as identity primary key,
    at         timestamptz not null,
    account    text not null,
    ip         text not null,
    agent      text not null,
    -- A try is written down as failed before the password is looked at.
    succeeded  boolean not null default false,
    user_id    integer
);
create index login_attempt_account on login_attempt (account, at desc);
create index login_attempt_ip on login_attempt (ip, at desc);
create index login_attempt_user on login_attempt (user_id, at desc) where succeeded;

create table portal_user (
    user_id              integer primary key,
    language             text not null default '',
    theme                text not null default 'system' constraint portal_user_theme_known check (theme in ('system', 'light', 'dark')),
    density              text not null default 'comfortable' constraint portal_user_density_known check (density in ('comfortable', 'compact')),
    zone                 text not null default 'UTC',
    must_change_password boolean not null default false
);
