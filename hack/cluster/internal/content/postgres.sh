#!/bin/sh
# Start PostgreSQL; create its data in $PGDATA first if there is none.
#   POSTGRES_PASSWORD  needed at the first start
#   POSTGRES_USER      postgres if unset
#   POSTGRES_DB        as the user if unset
# *.sql files in /docker-entrypoint-initdb.d run once, in the new database.
set -eu
: "${PGDATA:=/var/lib/postgresql/data/pgdata}"
sockets=/tmp
[ "${1:-}" != postgres ] || shift
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD to the password of the new database}"
  user=${POSTGRES_USER:-postgres}
  db=${POSTGRES_DB:-$user}
  # whole or not at all: the data folder appears when it is complete; a mounted one is filled in place
  new=$PGDATA.new
  if mountpoint -q "$PGDATA"; then new=$PGDATA; else rm -rf "$new"; fi
  secret=$(mktemp)
  printf '%s' "$POSTGRES_PASSWORD" > "$secret"
  initdb -D "$new" --username="$user" --pwfile="$secret" --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
  rm "$secret"
  echo 'host all all all scram-sha-256' >> "$new/pg_hba.conf"
  pg_ctl -D "$new" -w start -o "-c listen_addresses= -c unix_socket_directories=$sockets" >/dev/null
  [ "$db" = postgres ] || createdb -h "$sockets" -U "$user" --maintenance-db=postgres "$db"
  for f in /docker-entrypoint-initdb.d/*.sql; do
    [ ! -f "$f" ] || psql -h "$sockets" -U "$user" -d "$db" -v ON_ERROR_STOP=1 -q -f "$f"
  done
  pg_ctl -D "$new" -w -m fast stop >/dev/null
  [ "$new" = "$PGDATA" ] || mv -T "$new" "$PGDATA"
fi
exec postgres -D "$PGDATA" -c "listen_addresses=*" -c "unix_socket_directories=$sockets" "$@"
