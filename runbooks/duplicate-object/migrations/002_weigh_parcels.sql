ALTER TABLE parcels ADD COLUMN weight numeric(8, 3);
CREATE INDEX parcels_weight_idx ON parcels (weight);
