import { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateTenantTables1700000000001 implements MigrationInterface {
  name = 'CreateTenantTables1700000000001';

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE clients (
        id serial PRIMARY KEY,
        code varchar(30) NOT NULL CONSTRAINT uq_clients_code UNIQUE,
        nom varchar(200) NOT NULL,
        email text,
        siret char(14),
        owner_id uuid,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE client_contacts (
        id serial PRIMARY KEY,
        client_id integer NOT NULL CONSTRAINT fk_client_contacts_client REFERENCES clients (id) ON DELETE CASCADE,
        name text NOT NULL,
        phone text,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE client_addresses (
        id serial PRIMARY KEY,
        client_id integer NOT NULL CONSTRAINT fk_client_addresses_client REFERENCES clients (id) ON DELETE CASCADE,
        street text NOT NULL,
        city text NOT NULL,
        postal_code varchar(10) NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE fournisseurs (
        id serial PRIMARY KEY,
        code text NOT NULL CONSTRAINT uq_fournisseurs_code UNIQUE,
        name text NOT NULL,
        rating numeric(3, 1),
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE articles (
        id serial PRIMARY KEY,
        reference text NOT NULL CONSTRAINT uq_articles_reference UNIQUE,
        label text NOT NULL,
        material_id integer,
        fournisseur_id integer CONSTRAINT fk_articles_fournisseur REFERENCES fournisseurs (id),
        price numeric(12, 2) NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE stocks (
        id serial PRIMARY KEY,
        article_id integer NOT NULL CONSTRAINT fk_stocks_article REFERENCES articles (id),
        quantity integer NOT NULL CHECK (quantity >= 0),
        location text NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE stock_movements (
        id bigserial PRIMARY KEY,
        stock_id integer NOT NULL CONSTRAINT fk_stock_movements_stock REFERENCES stocks (id),
        delta integer NOT NULL,
        moved_by uuid,
        reason text,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TYPE commande_status AS ENUM ('draft', 'confirmed', 'shipped', 'cancelled')
    `);
    await queryRunner.query(`
      CREATE TABLE commandes (
        id bigserial PRIMARY KEY,
        numero text NOT NULL CONSTRAINT uq_commandes_numero UNIQUE,
        client_id integer NOT NULL CONSTRAINT fk_commandes_client REFERENCES clients (id),
        status commande_status NOT NULL,
        total numeric(12, 2) NOT NULL,
        ordered_by uuid,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE commande_lignes (
        id bigserial PRIMARY KEY,
        commande_id bigint NOT NULL CONSTRAINT fk_commande_lignes_commande REFERENCES commandes (id) ON DELETE CASCADE,
        article_id integer NOT NULL CONSTRAINT fk_commande_lignes_article REFERENCES articles (id),
        quantity integer NOT NULL,
        unit_price numeric(12, 2) NOT NULL,
        amount numeric GENERATED ALWAYS AS (quantity * unit_price) STORED,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE devis (
        id bigserial PRIMARY KEY,
        client_id integer NOT NULL REFERENCES clients (id),
        commande_id bigint REFERENCES commandes (id),
        amount numeric(12, 2) NOT NULL,
        valid_until date,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE factures (
        id bigserial PRIMARY KEY,
        commande_id bigint NOT NULL REFERENCES commandes (id),
        numero text NOT NULL CONSTRAINT uq_factures_numero UNIQUE,
        amount numeric(12, 2) NOT NULL,
        paid_at timestamptz,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE paiements (
        id bigserial PRIMARY KEY,
        facture_id bigint NOT NULL REFERENCES factures (id),
        amount numeric(12, 2) NOT NULL,
        method text NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE machines (
        id serial PRIMARY KEY,
        code text NOT NULL CONSTRAINT uq_machines_code UNIQUE,
        process_id integer,
        name text NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE ordres_fabrication (
        id bigserial PRIMARY KEY,
        commande_id bigint REFERENCES commandes (id),
        machine_id integer REFERENCES machines (id),
        planned_on date,
        quantity integer NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE projets (
        id serial PRIMARY KEY,
        client_id integer NOT NULL REFERENCES clients (id),
        name text NOT NULL,
        budget numeric(14, 2),
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE documents (
        id bigserial PRIMARY KEY,
        projet_id integer REFERENCES projets (id),
        name text NOT NULL,
        content bytea,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE notifications (
        id bigserial PRIMARY KEY,
        user_id uuid NOT NULL,
        title text NOT NULL,
        read_at timestamptz,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE INDEX commandes_client_id_idx ON commandes (client_id)
    `);
    await queryRunner.query(`
      CREATE INDEX commande_lignes_commande_id_idx ON commande_lignes (commande_id)
    `);
    await queryRunner.query(`
      COMMENT ON INDEX commandes_client_id_idx IS 'orders of a client'
    `);
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE notifications, documents, projets, ordres_fabrication, machines, paiements, factures, devis, commande_lignes, commandes, stock_movements, stocks, articles, fournisseurs, client_addresses, client_contacts, clients`);
    await queryRunner.query(`DROP TYPE commande_status`);
  }
}
