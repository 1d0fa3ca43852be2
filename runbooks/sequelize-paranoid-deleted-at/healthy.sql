-- A database whose sessions has "deletedAt", as its paranoid model wants it.
CREATE TABLE users (
    id serial PRIMARY KEY,
    "firstName" varchar(255) NOT NULL,
    "lastName" varchar(255) NOT NULL,
    email varchar(255) NOT NULL UNIQUE,
    role varchar(255) NOT NULL DEFAULT 'client',
    "createdAt" timestamptz NOT NULL,
    "updatedAt" timestamptz NOT NULL,
    "deletedAt" timestamptz
);

CREATE TABLE sessions (
    id serial PRIMARY KEY,
    "sessionDate" timestamptz NOT NULL,
    duration integer NOT NULL DEFAULT 60,
    location varchar(255) NOT NULL DEFAULT 'Main studio',
    "userId" integer REFERENCES users (id),
    "trainerId" integer REFERENCES users (id),
    status varchar(255) NOT NULL DEFAULT 'available',
    "bookedAt" timestamptz,
    "cancellationReason" varchar(255),
    attended boolean,
    notes text,
    rating integer,
    "createdAt" timestamptz NOT NULL,
    "updatedAt" timestamptz NOT NULL,
    "deletedAt" timestamptz
);

CREATE INDEX sessions_session_date ON sessions ("sessionDate");
CREATE INDEX sessions_user_id ON sessions ("userId");
CREATE INDEX sessions_trainer_id ON sessions ("trainerId");

CREATE TABLE "SequelizeMeta" (
    name varchar(255) NOT NULL UNIQUE,
    PRIMARY KEY (name)
);

INSERT INTO users ("firstName", "lastName", email, role, "createdAt", "updatedAt")
SELECT 'First ' || n, 'Last ' || n, 'user' || n || '@example.com', CASE WHEN n <= 2 THEN 'trainer' ELSE 'client' END,
       now(), now()
FROM generate_series(1, 20) AS n;

INSERT INTO sessions ("sessionDate", "userId", "trainerId", status, "bookedAt", "createdAt", "updatedAt")
SELECT now() + n * interval '1 hour', n % 18 + 3, n % 2 + 1, 'booked', now(), now(), now()
FROM generate_series(1, 200) AS n;

INSERT INTO "SequelizeMeta" (name) VALUES
    ('20250301090000-create-users.cjs'),
    ('20250301090100-create-sessions.cjs'),
    ('20250528120001-add-deletedat-column.cjs'),
    ('20250530000000-add-sessions-deletedat-column.cjs');
