import { MigrationInterface, QueryRunner } from 'typeorm';

export class AddOperationsTables1700000000002 implements MigrationInterface {
  name = 'AddOperationsTables1700000000002';

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TYPE achat_status AS ENUM ('open', 'received', 'closed')
    `);
    await queryRunner.query(`
      CREATE TYPE ticket_priority AS ENUM ('low', 'normal', 'high')
    `);
    await queryRunner.query(`
      CREATE TABLE article_categories (
        id serial PRIMARY KEY,
        parent_id integer CONSTRAINT fk_article_categories_parent REFERENCES article_categories (id),
        name varchar(80) NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE article_prices (
        id bigserial PRIMARY KEY,
        article_id integer NOT NULL CONSTRAINT fk_article_prices_article REFERENCES articles (id),
        currency_code char(3) NOT NULL,
        price numeric(12, 2) NOT NULL,
        valid_from date NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE warehouses (
        id serial PRIMARY KEY,
        code varchar(20) NOT NULL CONSTRAINT uq_warehouses_code UNIQUE,
        country_code char(2),
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE stock_locations (
        id serial PRIMARY KEY,
        warehouse_id integer NOT NULL CONSTRAINT fk_stock_locations_warehouse REFERENCES warehouses (id),
        aisle varchar(10) NOT NULL,
        level smallint NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE stock_reservations (
        id bigserial PRIMARY KEY,
        stock_id integer NOT NULL CONSTRAINT fk_stock_reservations_stock REFERENCES stocks (id),
        commande_id bigint NOT NULL CONSTRAINT fk_stock_reservations_commande REFERENCES commandes (id),
        quantity integer NOT NULL CHECK (quantity > 0),
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE fournisseur_contacts (
        id serial PRIMARY KEY,
        fournisseur_id integer NOT NULL CONSTRAINT fk_fournisseur_contacts_fournisseur REFERENCES fournisseurs (id) ON DELETE CASCADE,
        name text NOT NULL,
        email varchar(255),
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE achats (
        id bigserial PRIMARY KEY,
        numero varchar(30) NOT NULL CONSTRAINT uq_achats_numero UNIQUE,
        fournisseur_id integer NOT NULL CONSTRAINT fk_achats_fournisseur REFERENCES fournisseurs (id),
        buyer_id uuid,
        status achat_status NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE achat_lignes (
        id bigserial PRIMARY KEY,
        achat_id bigint NOT NULL CONSTRAINT fk_achat_lignes_achat REFERENCES achats (id) ON DELETE CASCADE,
        article_id integer NOT NULL CONSTRAINT fk_achat_lignes_article REFERENCES articles (id),
        quantity integer NOT NULL,
        unit_price numeric(12, 2) NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE receptions (
        id bigserial PRIMARY KEY,
        achat_id bigint NOT NULL CONSTRAINT fk_receptions_achat REFERENCES achats (id),
        received_on date NOT NULL,
        received_by uuid,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE reception_lignes (
        id bigserial PRIMARY KEY,
        reception_id bigint NOT NULL CONSTRAINT fk_reception_lignes_reception REFERENCES receptions (id),
        achat_ligne_id bigint NOT NULL CONSTRAINT fk_reception_lignes_achat_ligne REFERENCES achat_lignes (id),
        quantity integer NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE livraisons (
        id bigserial PRIMARY KEY,
        commande_id bigint NOT NULL CONSTRAINT fk_livraisons_commande REFERENCES commandes (id),
        shipped_on date,
        carrier varchar(60),
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE livraison_lignes (
        id bigserial PRIMARY KEY,
        livraison_id bigint NOT NULL CONSTRAINT fk_livraison_lignes_livraison REFERENCES livraisons (id),
        commande_ligne_id bigint NOT NULL CONSTRAINT fk_livraison_lignes_commande_ligne REFERENCES commande_lignes (id),
        quantity integer NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE devis_lignes (
        id bigserial PRIMARY KEY,
        devis_id bigint NOT NULL CONSTRAINT fk_devis_lignes_devis REFERENCES devis (id) ON DELETE CASCADE,
        article_id integer NOT NULL CONSTRAINT fk_devis_lignes_article REFERENCES articles (id),
        quantity integer NOT NULL,
        unit_price numeric(12, 2) NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE avoirs (
        id bigserial PRIMARY KEY,
        facture_id bigint NOT NULL CONSTRAINT fk_avoirs_facture REFERENCES factures (id),
        amount numeric(12, 2) NOT NULL,
        reason text,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE relances (
        id bigserial PRIMARY KEY,
        facture_id bigint NOT NULL CONSTRAINT fk_relances_facture REFERENCES factures (id),
        sent_on date NOT NULL,
        level smallint NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE nomenclatures (
        id serial PRIMARY KEY,
        article_id integer NOT NULL CONSTRAINT fk_nomenclatures_article REFERENCES articles (id),
        version integer NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE nomenclature_lignes (
        id bigserial PRIMARY KEY,
        nomenclature_id integer NOT NULL CONSTRAINT fk_nomenclature_lignes_nomenclature REFERENCES nomenclatures (id) ON DELETE CASCADE,
        composant_id integer NOT NULL CONSTRAINT fk_nomenclature_lignes_composant REFERENCES articles (id),
        quantity numeric(12, 3) NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE gammes (
        id serial PRIMARY KEY,
        article_id integer NOT NULL CONSTRAINT fk_gammes_article REFERENCES articles (id),
        label text NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE gamme_operations (
        id bigserial PRIMARY KEY,
        gamme_id integer NOT NULL CONSTRAINT fk_gamme_operations_gamme REFERENCES gammes (id) ON DELETE CASCADE,
        machine_id integer CONSTRAINT fk_gamme_operations_machine REFERENCES machines (id),
        rank smallint NOT NULL,
        minutes numeric(8, 2) NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE operations (
        id bigserial PRIMARY KEY,
        of_id bigint NOT NULL CONSTRAINT fk_operations_of REFERENCES ordres_fabrication (id),
        operator_id uuid,
        started_at timestamptz,
        minutes numeric(8, 2),
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE maintenances (
        id serial PRIMARY KEY,
        machine_id integer NOT NULL CONSTRAINT fk_maintenances_machine REFERENCES machines (id),
        planned_on date NOT NULL,
        done_at timestamptz,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE employees (
        id uuid PRIMARY KEY,
        user_id uuid,
        matricule varchar(20) NOT NULL CONSTRAINT uq_employees_matricule UNIQUE,
        hired_on date,
        hourly_rate numeric(8, 2),
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE pointages (
        id bigserial PRIMARY KEY,
        employee_id uuid NOT NULL CONSTRAINT fk_pointages_employee REFERENCES employees (id),
        day date NOT NULL,
        hours numeric(4, 2) NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE conges (
        id serial PRIMARY KEY,
        employee_id uuid NOT NULL CONSTRAINT fk_conges_employee REFERENCES employees (id),
        period daterange NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE controles_qualite (
        id bigserial PRIMARY KEY,
        of_id bigint NOT NULL CONSTRAINT fk_controles_qualite_of REFERENCES ordres_fabrication (id),
        standard_id integer,
        measures jsonb NOT NULL,
        passed boolean NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE non_conformites (
        id bigserial PRIMARY KEY,
        controle_id bigint NOT NULL CONSTRAINT fk_non_conformites_controle REFERENCES controles_qualite (id),
        description text NOT NULL,
        closed_at timestamptz,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE tickets (
        id uuid PRIMARY KEY,
        client_id integer NOT NULL CONSTRAINT fk_tickets_client REFERENCES clients (id),
        priority ticket_priority NOT NULL,
        subject varchar(200) NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE ticket_messages (
        id bigserial PRIMARY KEY,
        ticket_id uuid NOT NULL CONSTRAINT fk_ticket_messages_ticket REFERENCES tickets (id) ON DELETE CASCADE,
        author_id uuid,
        body text NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE projet_taches (
        id bigserial PRIMARY KEY,
        projet_id integer NOT NULL CONSTRAINT fk_projet_taches_projet REFERENCES projets (id) ON DELETE CASCADE,
        assigned_to uuid,
        title text NOT NULL,
        done boolean NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE comptes (
        id serial PRIMARY KEY,
        numero varchar(12) NOT NULL CONSTRAINT uq_comptes_numero UNIQUE,
        label text NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE ecritures (
        id bigserial PRIMARY KEY,
        compte_id integer NOT NULL CONSTRAINT fk_ecritures_compte REFERENCES comptes (id),
        facture_id bigint CONSTRAINT fk_ecritures_facture REFERENCES factures (id),
        debit numeric(14, 2) NOT NULL,
        credit numeric(14, 2) NOT NULL,
        societe_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE INDEX idx_livraison_lignes_livraison_id ON livraison_lignes (livraison_id)
    `);
    await queryRunner.query(`
      CREATE INDEX idx_reception_lignes_reception_id ON reception_lignes (reception_id)
    `);
    await queryRunner.query(`
      CREATE INDEX idx_ecritures_compte_id ON ecritures (compte_id)
    `);
    await queryRunner.query(`
      CREATE INDEX idx_pointages_employee_id_day ON pointages (employee_id, day)
    `);
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE ecritures`);
    await queryRunner.query(`DROP TABLE comptes`);
    await queryRunner.query(`DROP TABLE projet_taches`);
    await queryRunner.query(`DROP TABLE ticket_messages`);
    await queryRunner.query(`DROP TABLE tickets`);
    await queryRunner.query(`DROP TABLE non_conformites`);
    await queryRunner.query(`DROP TABLE controles_qualite`);
    await queryRunner.query(`DROP TABLE conges`);
    await queryRunner.query(`DROP TABLE pointages`);
    await queryRunner.query(`DROP TABLE employees`);
    await queryRunner.query(`DROP TABLE maintenances`);
    await queryRunner.query(`DROP TABLE operations`);
    await queryRunner.query(`DROP TABLE gamme_operations`);
    await queryRunner.query(`DROP TABLE gammes`);
    await queryRunner.query(`DROP TABLE nomenclature_lignes`);
    await queryRunner.query(`DROP TABLE nomenclatures`);
    await queryRunner.query(`DROP TABLE relances`);
    await queryRunner.query(`DROP TABLE avoirs`);
    await queryRunner.query(`DROP TABLE devis_lignes`);
    await queryRunner.query(`DROP TABLE livraison_lignes`);
    await queryRunner.query(`DROP TABLE livraisons`);
    await queryRunner.query(`DROP TABLE reception_lignes`);
    await queryRunner.query(`DROP TABLE receptions`);
    await queryRunner.query(`DROP TABLE achat_lignes`);
    await queryRunner.query(`DROP TABLE achats`);
    await queryRunner.query(`DROP TABLE fournisseur_contacts`);
    await queryRunner.query(`DROP TABLE stock_reservations`);
    await queryRunner.query(`DROP TABLE stock_locations`);
    await queryRunner.query(`DROP TABLE warehouses`);
    await queryRunner.query(`DROP TABLE article_prices`);
    await queryRunner.query(`DROP TABLE article_categories`);
    await queryRunner.query(`DROP TYPE ticket_priority`);
    await queryRunner.query(`DROP TYPE achat_status`);
  }
}
