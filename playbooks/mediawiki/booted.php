<?php
/** A maintenance script in MediaWiki's own form, for boot.php: what the copy's code sees. */

require_once getenv( 'MW_INSTALL_PATH' ) . '/maintenance/Maintenance.php';

class IntendantBooted extends Maintenance {
	public function execute() {
		$database = $this->getDB( DB_REPLICA );
		$answer   = array(
			'root'     => (string) realpath( $GLOBALS['IP'] ),
			'database' => (string) $database->getDBname(),
			'version'  => MW_VERSION,
			// The rows that a wiki can't be without.
			'settings' => (int) $database->selectField( 'site_stats', 'COUNT(*)', array(), __METHOD__ )
				* (int) $database->selectField( 'user', 'COUNT(*)', array(), __METHOD__ ),
		);
		echo "\n@intendant-boot@" . json_encode( $answer, JSON_UNESCAPED_SLASHES ) . "\n";
	}
}

$maintClass = IntendantBooted::class;
require_once RUN_MAINTENANCE_IF_MAIN;
