-- session: web
PREPARE parcel (bigint) AS SELECT * FROM parcels WHERE id = $1;
EXECUTE parcel (1);

-- session: deployment
ALTER TABLE parcels ADD COLUMN insured boolean NOT NULL DEFAULT false;
