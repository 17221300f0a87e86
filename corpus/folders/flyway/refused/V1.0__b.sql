SELECT ${unknown};
