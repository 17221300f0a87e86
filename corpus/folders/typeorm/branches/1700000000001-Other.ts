export class Other1700000000001 {
  async up(runner) {
    switch (runner.connection.options.database) {
      case "one":
        await runner.query("SELECT 1");
    }
  }
  async down(runner) {
    {
      await runner.query("SELECT 3");
      return;
    }
    await runner.query("SELECT 'gone'");
  }
}
