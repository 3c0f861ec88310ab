<?php
/**
 * STAND-IN for Joomla 5: the few of its classes with which its commands, its updater and our scripts work, with its names. It
 * keeps real files and real tables, prints what the real one prints, and says what the real one says where that is not
 * true: exit code 0 whether an update service was reached or not. A package may hold a file STANDIN, by which it lies
 * (`lying`: all is said to be done, nothing is) or fails (`failing`: half of the files are there, then it stops).
 */

namespace Joomla\Standin {

	/** The database and the plugins of the site. */
	final class Site {
		private static $link;

		public static function link() {
			if ( ! self::$link ) {
				$config = new \JConfig();
				mysqli_report( MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT );
				[ $host, $socket ] = explode( ':', $config->host, 2 ) + [ '', '' ];
				self::$link        = new \mysqli( $host, $config->user, $config->password, $config->db, 0, $socket );
				self::$link->set_charset( 'utf8mb4' );
			}
			return self::$link;
		}

		public static function prefixed( $sql ) {
			return str_replace( '#__', ( new \JConfig() )->dbprefix, $sql );
		}

		public static function rows( $sql, $values = [] ) {
			$statement = self::link()->prepare( self::prefixed( $sql ) );
			$statement->execute( $values );
			$result = $statement->get_result();
			return $result ? $result->fetch_all( MYSQLI_ASSOC ) : [];
		}

		public static function plugins( $folder ) {
			$all = [];
			foreach ( self::rows( "SELECT element FROM #__extensions WHERE type = 'plugin' AND folder = ? AND enabled = 1 ORDER BY extension_id", [ $folder ] ) as $row ) {
				$file = JPATH_PLUGINS . "/$folder/{$row['element']}/{$row['element']}.php";
				if ( is_file( $file ) ) {
					require_once $file;
					$class = 'Plg' . ucfirst( $folder ) . ucfirst( $row['element'] );
					$all[] = new $class();
				}
			}
			return $all;
		}

		/** Brings the tables to what the files want. */
		public static function migrate() {
			$id = (int) self::rows( "SELECT extension_id FROM #__extensions WHERE type = 'file' AND element = 'joomla'" )[0]['extension_id'];
			$at = self::rows( "SELECT version_id FROM #__schemas WHERE extension_id = $id" )[0]['version_id'] ?? '';
			$files = glob( JPATH_ADMINISTRATOR . '/components/com_admin/sql/updates/mysql/*.sql' );
			usort( $files, static fn( $a, $b ) => version_compare( basename( $a, '.sql' ), basename( $b, '.sql' ) ) );
			foreach ( $files as $file ) {
				if ( version_compare( basename( $file, '.sql' ), $at, '>' ) ) {
					foreach ( preg_split( '/;\s*$/m', preg_replace( '/^--.*$/m', '', file_get_contents( $file ) ) ) as $sql ) {
						'' === trim( $sql ) || self::rows( $sql );
					}
					$at = basename( $file, '.sql' );
				}
			}
			self::rows( "UPDATE #__schemas SET version_id = ? WHERE extension_id = $id", [ $at ] );
		}

		/** What an address answers, or null. */
		public static function get( $url ) {
			$handle = curl_init( $url );
			curl_setopt_array( $handle, [ CURLOPT_RETURNTRANSFER => true, CURLOPT_FOLLOWLOCATION => true, CURLOPT_TIMEOUT => 20, CURLOPT_PROTOCOLS => CURLPROTO_HTTPS ] );
			$body = curl_exec( $handle );
			return false !== $body && 200 === curl_getinfo( $handle, CURLINFO_RESPONSE_CODE ) ? $body : null;
		}

		public static function copy( $from, $to ) {
			if ( is_dir( $from ) ) {
				is_dir( $to ) || mkdir( $to, 0755, true );
				foreach ( array_diff( scandir( $from ), [ '.', '..', 'STANDIN' ] ) as $name ) {
					self::copy( "$from/$name", "$to/$name" );
				}
			} else {
				is_dir( dirname( $to ) ) || mkdir( dirname( $to ), 0755, true );
				copy( $from, $to );
			}
		}

		public static function remove( $path ) {
			if ( is_dir( $path ) && ! is_link( $path ) ) {
				array_map( static fn( $name ) => self::remove( "$path/$name" ), array_diff( scandir( $path ), [ '.', '..' ] ) );
				rmdir( $path );
			} elseif ( file_exists( $path ) ) {
				unlink( $path );
			}
		}
	}

	/** The page that is made, as plugins see it. */
	final class Page {
		private $body;

		public function __construct( $body ) {
			$this->body = $body;
		}

		public function isClient( $name ) {
			return 'site' === $name;
		}

		public function getBody() {
			return $this->body;
		}

		public function setBody( $body ) {
			$this->body = $body;
		}
	}

	/** What the commands print, in the form of the real ones. */
	final class Style {
		public static function title( $text ) {
			echo "\n$text\n", str_repeat( '=', strlen( $text ) ), "\n\n";
		}

		public static function block( $type, $messages ) {
			$start = 'NOTE' === $type ? ' ! [NOTE] ' : " [$type] ";
			$lines = [];
			foreach ( (array) $messages as $index => $message ) {
				if ( $index > 0 ) {
					$lines[] = '';
				}
				array_push( $lines, ...explode( "\n", wordwrap( $message, 80 - strlen( $start ), "\n", true ) ) );
			}
			foreach ( $lines as $index => $line ) {
				echo str_pad( ( 0 === $index ? $start : str_repeat( ' ', strlen( $start ) ) ) . $line, 80 ), "\n";
			}
			echo "\n";
		}

		public static function table( $heads, $rows ) {
			$widths = array_map( 'strlen', $heads );
			foreach ( $rows as $row ) {
				foreach ( array_values( $row ) as $index => $cell ) {
					$widths[ $index ] = max( $widths[ $index ], ...array_map( 'strlen', explode( "\n", (string) $cell ) ) );
				}
			}
			$line = ' ' . implode( ' ', array_map( static fn( $width ) => str_repeat( '-', $width + 2 ), $widths ) ) . " \n";
			$out  = static function ( $cells ) use ( $widths ) {
				$parts = array_map( static fn( $cell ) => explode( "\n", (string) $cell ), array_values( $cells ) );
				for ( $at = 0; $at < max( array_map( 'count', $parts ) ); $at++ ) {
					echo ' ', implode( ' ', array_map( static fn( $part, $width ) => ' ' . str_pad( $part[ $at ] ?? '', $width ) . ' ', $parts, $widths ) ), " \n";
				}
			};
			echo $line;
			$out( $heads );
			echo $line;
			array_map( $out, $rows );
			echo $line, "\n";
		}
	}
}

namespace Symfony\Component\Console\Input {
	interface InputInterface {}
}

namespace Symfony\Component\Console\Output {
	interface OutputInterface {}
}

namespace Joomla\Console\Command {
	abstract class AbstractCommand {
		private $name;
		private $application;

		public function __construct( $name ) {
			$this->name = $name;
		}

		public function getName() {
			return $this->name;
		}

		public function setApplication( $application ) {
			$this->application = $application;
		}

		public function getApplication() {
			return $this->application;
		}

		public function execute( $input, $output ) {
			return $this->doExecute( $input, $output );
		}

		abstract protected function doExecute( \Symfony\Component\Console\Input\InputInterface $input, \Symfony\Component\Console\Output\OutputInterface $output ): int;
	}
}

namespace Joomla\Console {

	use Joomla\CMS\Updater\Updater;
	use Joomla\Standin\Site;
	use Joomla\Standin\Style;

	/** The console. */
	final class Application {
		private $commands = [];
		private $messages = [];

		public function addCommand( $command ) {
			$command->setApplication( $this );
			$this->commands[ $command->getName() ] = $command;
		}

		public function get( $key, $default = null ) {
			return ( new \JConfig() )->$key ?? $default;
		}

		public function enqueueMessage( $text, $type = 'info' ) {
			$this->messages[ $type ][] = $text;
		}

		public function getMessageQueue() {
			return $this->messages;
		}

		public function execute() {
			$arguments = array_slice( $_SERVER['argv'], 1 );
			$words     = array_values( array_filter( $arguments, static fn( $one ) => '-' !== $one[0] ) );
			if ( in_array( '--version', $arguments, true ) ) {
				exit( 'Joomla! ' . JVERSION . " (debug: No)\n" );
			}
			$name  = $words[0] ?? 'list';
			$table = [
				'core:update:check'       => 'core_check',
				'core:check-updates'      => 'core_check',
				'core:update'             => 'core_update',
				'update:extensions:check' => 'extensions_check',
				'cache:clean'             => 'cache_clean',
				'site:down'               => 'site_down',
				'site:up'                 => 'site_up',
			];
			if ( isset( $this->commands[ $name ] ) ) {
				$input = new class() implements \Symfony\Component\Console\Input\InputInterface, \Symfony\Component\Console\Output\OutputInterface {};
				$exit  = $this->commands[ $name ]->execute( $input, $input );
			} elseif ( 'maintenance:database' === $name ) {
				require_once JPATH_LIBRARIES . '/src/Console/MaintenanceDatabaseCommand.php';
				$exit = \Joomla\CMS\Console\MaintenanceDatabaseCommand::run( $arguments );
			} elseif ( isset( $table[ $name ] ) ) {
				$exit = $this->{ $table[ $name ] }();
			} else {
				echo "\n", str_repeat( ' ', 80 ), "\n Command \"$name\" is not defined.\n\n";
				fwrite( STDERR, "\n  The command \"$name\" does not exist.  \n\n" );
				$exit = 1;
			}
			foreach ( $this->messages as $type => $texts ) {
				Style::block( strtoupper( 'message' === $type ? 'info' : $type ), $texts );
			}
			exit( $exit );
		}

		private static function core_id() {
			return (int) Site::rows( "SELECT extension_id FROM #__extensions WHERE type = 'file' AND element = 'joomla'" )[0]['extension_id'];
		}

		/** What is offered of Joomla itself, after the service was asked anew. */
		private static function core_offer() {
			Site::rows( 'DELETE FROM #__updates WHERE update_site_id = 1' );
			Updater::getInstance()->findUpdates( [ self::core_id() ], 0, 4, true );
			$row = Site::rows( 'SELECT * FROM #__updates WHERE extension_id = ' . self::core_id() )[0] ?? null;
			return $row && version_compare( $row['version'], JVERSION, '>' ) ? $row : null;
		}

		private function core_check() {
			$offer = self::core_offer();
			Style::title( 'Joomla! Update Status' );
			echo "You are on the default update channel.\nYour current Joomla version is ", JVERSION, ".\n\n";
			if ( $offer ) {
				Style::block( 'NOTE', "New Joomla Version {$offer['version']} is available." );
			} else {
				Style::block( 'OK', 'You already have the latest Joomla version ' . JVERSION );
			}
			return 0;
		}

		private function extensions_check() {
			Style::title( 'Fetching Extension Updates' );
			Site::rows( 'TRUNCATE TABLE #__updates' );
			Site::rows( 'UPDATE #__update_sites SET last_check_timestamp = 0' );
			Updater::getInstance()->findUpdates( 0, 0, 4 );
			$rows = Site::rows( 'SELECT u.*, e.manifest_cache FROM #__updates u JOIN #__extensions e ON e.extension_id = u.extension_id WHERE u.extension_id <> ' . self::core_id() );
			if ( ! $rows ) {
				Style::block( 'OK', 'There are no updates available.' );
				return 0;
			}
			Style::block( 'NOTE', 'There are updates available.' );
			Style::table(
				[ 'Extension ID', 'Name', 'Location', 'Type', 'Installed', 'Available', 'Folder' ],
				array_map( static fn( $row ) => [ $row['extension_id'], $row['name'], $row['client_id'] ? 'Administrator' : 'Site', $row['type'], json_decode( $row['manifest_cache'], true )['version'], $row['version'], $row['folder'] ?: 'N/A' ], $rows )
			);
			return 0;
		}

		private function core_update() {
			$bar = static fn( $at ) => fwrite( STDERR, sprintf( "\n %d/9 [%s] %3d%%", $at, str_pad( str_repeat( '=', 3 * $at ) . ( $at < 9 ? '>' : '=' ), 28, '-' ), floor( 100 * $at / 9 ) ) );
			Style::title( 'Updating Joomla' );
			echo "Starting up ...\n";
			$offer = self::core_offer();
			echo "Running checks ...\n";
			$bar( 1 );
			if ( ! $offer ) {
				$bar( 9 );
				echo "\n";
				Style::block( 'NOTE', 'You already have the latest Joomla! version. ' . JVERSION );
				Style::block( 'ERROR', 'Could not fetch update information, enable system debug mode for further information.' );
				return 1;
			}
			echo "Check Database Table Structure...\n\n";
			Style::block( 'INFO', '8 database changes were checked.' );
			Style::block( 'INFO', '51 database changes did not alter table structure and were skipped.' );
			echo "Starting Joomla! update ...\nProcessing update package ...\nDownloading update package ...\n";
			$target  = json_decode( $offer['data'], true );
			$file    = \Joomla\CMS\Installer\InstallerHelper::downloadPackage( $target['downloads'][0]['url'] );
			$package = $file ? \Joomla\CMS\Installer\InstallerHelper::unpack( $this->get( 'tmp_path' ) . "/$file" ) : false;
			if ( ! $package ) {
				Style::block( 'ERROR', 'Update cannot be performed.' );
				return 2;
			}
			echo "Extracting update package ...\nCopying files ...\n";
			$bar( 7 );
			$way = is_file( $package['dir'] . '/STANDIN' ) ? trim( file_get_contents( $package['dir'] . '/STANDIN' ) ) : '';
			if ( 'failing' === $way ) {
				Site::copy( $package['dir'] . '/libraries', JPATH_LIBRARIES );
				fwrite( STDERR, "PHP Fatal error:  Allowed memory size exhausted\n" );
				exit( 255 );
			}
			if ( 'lying' !== $way ) {
				Site::copy( $package['dir'], JPATH_ROOT );
				echo "Finalizing update ...\n";
				Site::migrate();
				$data = json_encode( [ 'name' => 'files_joomla', 'type' => 'file', 'version' => $offer['version'] ] );
				Site::rows( 'UPDATE #__extensions SET manifest_cache = ? WHERE extension_id = ' . self::core_id(), [ $data ] );
			}
			echo "Cleaning up ...\n";
			$bar( 9 );
			\Joomla\CMS\Installer\InstallerHelper::cleanupInstall( $package['packagefile'], $package['extractdir'] );
			Site::rows( 'DELETE FROM #__updates WHERE update_site_id = 1' );
			echo "\n";
			Style::block( 'OK', 'Joomla core updated successfully!' );
			return 0;
		}

		private function cache_clean() {
			Style::title( 'Cleaning System Cache' );
			foreach ( glob( JPATH_ROOT . '/cache/*', GLOB_ONLYDIR ) as $folder ) {
				Site::remove( $folder );
			}
			Style::block( 'OK', 'Cache cleaned' );
			return 0;
		}

		private function offline( $on ) {
			$file = JPATH_CONFIGURATION . '/configuration.php';
			chmod( $file, 0644 );
			file_put_contents( $file, preg_replace( '/public \$offline = \w+;/', 'public $offline = ' . ( $on ? 'true' : 'false' ) . ';', file_get_contents( $file ) ) );
			chmod( $file, 0444 );
			echo "\n";
			Style::block( 'OK', 'Configuration set' );
			Style::block( 'OK', 'Website is now ' . ( $on ? 'offline' : 'online' ) );
			return 0;
		}

		private function site_down() {
			Style::title( 'Site Offline' );
			return $this->offline( true );
		}

		private function site_up() {
			Style::title( 'Site Online' );
			return $this->offline( false );
		}
	}
}

namespace Joomla\CMS {

	final class Factory {
		public static $application;

		public static function getContainer() {
			return new class() {
				public function alias( $name, $of ) {
					return $this;
				}

				public function get( $name ) {
					return 'DatabaseDriver' === $name ? \Joomla\Standin\Site::class : new \Joomla\Console\Application();
				}
			};
		}

		public static function getApplication() {
			return self::$application;
		}
	}
}

namespace Joomla\CMS\Component {

	final class ComponentHelper {
		public static function getParams( $name ) {
			$row = \Joomla\Standin\Site::rows( "SELECT params FROM #__extensions WHERE type = 'component' AND element = ?", [ $name ] );
			return new class( json_decode( $row[0]['params'] ?? '{}', true ) ?: [] ) {
				private $values;

				public function __construct( $values ) {
					$this->values = $values;
				}

				public function get( $key, $default = null ) {
					return $this->values[ $key ] ?? $default;
				}
			};
		}
	}
}

namespace Joomla\CMS\Plugin {

	abstract class CMSPlugin {}

	final class PluginHelper {
		public static function importPlugin( $folder, $name = null ) {
			return true;
		}
	}
}

namespace Joomla\CMS\Table {

	final class Update {
		public function __construct( $database ) {}

		public function load( $id ) {
			return (bool) \Joomla\Standin\Site::rows( 'SELECT 1 FROM #__updates WHERE update_id = ?', [ $id ] );
		}

		public function delete( $id ) {
			\Joomla\Standin\Site::rows( 'DELETE FROM #__updates WHERE update_id = ?', [ $id ] );
			return true;
		}
	}
}

namespace Joomla\CMS\Updater {

	use Joomla\Standin\Site;

	/** Asks the update services, and notes what they offer in #__updates. */
	final class Updater {
		private static $instance;

		public static function getInstance() {
			return self::$instance ??= new self();
		}

		public function findUpdates( $ids = 0, $timeout = 0, $stability = 4, $current = false ) {
			$sites = $ids
				? Site::rows( 'SELECT DISTINCT s.* FROM #__update_sites s JOIN #__update_sites_extensions x ON x.update_site_id = s.update_site_id WHERE s.enabled = 1 AND x.extension_id IN (' . implode( ',', array_map( 'intval', (array) $ids ) ) . ') ORDER BY s.update_site_id' )
				: Site::rows( 'SELECT * FROM #__update_sites WHERE enabled = 1 ORDER BY update_site_id' );
			foreach ( $sites as $site ) {
				Site::rows( 'DELETE FROM #__updates WHERE update_site_id = ?', [ $site['update_site_id'] ] );
				foreach ( 'tuf' === $site['type'] ? $this->releases( $site ) : $this->listed( $site ) as $offer ) {
					$this->note( $site, $offer, $current );
				}
				// Asked, whether it answered or not.
				Site::rows( 'UPDATE #__update_sites SET last_check_timestamp = ? WHERE update_site_id = ?', [ time(), $site['update_site_id'] ] );
			}
			return true;
		}

		/** The releases of Joomla itself, from its signed list. */
		private function releases( $site ) {
			$body = Site::get( $site['location'] . 'targets.json' );
			$list = json_decode( (string) $body, true );
			if ( ! isset( $list['signed']['targets'] ) ) {
				\Joomla\CMS\Factory::getApplication()->enqueueMessage( 'JLIB_INSTALLER_TUF_ERROR_GENERIC', 'error' );
				Site::rows( 'UPDATE #__tuf_metadata SET targets = NULL WHERE update_site_id = ?', [ $site['update_site_id'] ] );
				return [];
			}
			Site::rows( 'UPDATE #__tuf_metadata SET targets = ? WHERE update_site_id = ?', [ $body, $site['update_site_id'] ] );
			$all = array_map( static fn( $target ) => [ 'element' => 'joomla', 'type' => 'file', 'client_id' => 0, 'detailsurl' => $site['location'], 'data' => json_encode( $target['custom'] ) ] + $target['custom'], array_values( $list['signed']['targets'] ) );
			usort( $all, static fn( $a, $b ) => version_compare( $b['version'], $a['version'] ) );
			return array_slice( $all, 0, 1 );
		}

		/** What a list in XML offers: one extension's own, or a collection of several. */
		private function listed( $site ) {
			// Off while it is asked, so that one on which everything dies is not asked again; whoever is killed here leaves it so.
			Site::rows( 'UPDATE #__update_sites SET enabled = 0 WHERE update_site_id = ?', [ $site['update_site_id'] ] );
			$body = Site::get( trim( $site['location'] ) );
			Site::rows( 'UPDATE #__update_sites SET enabled = 1 WHERE update_site_id = ?', [ $site['update_site_id'] ] );
			$app  = \Joomla\CMS\Factory::getApplication();
			if ( null === $body ) {
				$app->enqueueMessage( "Update: Could not open update site #{$site['update_site_id']} \"{$site['name']}\", URL: {$site['location']}", 'warning' );
				return [];
			}
			if ( ! xml_parse( xml_parser_create(), $body, false ) ) {
				$app->enqueueMessage( 'Update: :' . ucfirst( $site['type'] ) . ": Could not parse {$site['location']}", 'warning' );
				return [];
			}
			// The real one takes what is cut, or another document, for a list without updates.
			$xml = @simplexml_load_string( $body );
			if ( ! $xml ) {
				return [];
			}
			$all = [];
			if ( 'collection' === $site['type'] ) {
				foreach ( $xml->extension as $one ) {
					$all[] = [ 'client_id' => 0, 'folder' => '' ] + array_map( 'strval', iterator_to_array( $one->attributes() ) );
				}
				return $all;
			}
			foreach ( $xml->update as $one ) {
				if ( preg_match( '/^' . $one->targetplatform['version'] . '/', JVERSION ) ) {
					$all[] = [
						'name'       => (string) $one->name,
						'element'    => (string) $one->element,
						'type'       => (string) $one->type,
						'folder'     => (string) $one->folder,
						'client_id'  => 'administrator' === (string) $one->client ? 1 : 0,
						'version'    => (string) $one->version,
						'detailsurl' => trim( $site['location'] ),
					];
				}
			}
			usort( $all, static fn( $a, $b ) => version_compare( $b['version'], $a['version'] ) );
			return array_slice( $all, 0, 1 );
		}

		private function note( $site, $offer, $current ) {
			$row = Site::rows( 'SELECT * FROM #__extensions WHERE element = ? AND type = ? AND folder = ? AND client_id = ?', [ $offer['element'], $offer['type'], $offer['folder'] ?? '', (int) $offer['client_id'] ] )[0] ?? null;
			$now = $row ? json_decode( $row['manifest_cache'], true )['version'] ?? '' : '';
			if ( $row && ! version_compare( $offer['version'], $now, $current ? '>=' : '>' ) ) {
				return;
			}
			foreach ( Site::rows( 'SELECT version FROM #__updates WHERE element = ? AND type = ? AND folder = ? AND client_id = ?', [ $offer['element'], $offer['type'], $offer['folder'] ?? '', (int) $offer['client_id'] ] ) as $noted ) {
				if ( ! version_compare( $offer['version'], $noted['version'], '>' ) ) {
					return;
				}
			}
			Site::rows(
				"INSERT INTO #__updates (update_site_id, extension_id, name, description, element, type, folder, client_id, version, data, detailsurl, infourl, extra_query) VALUES (?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, '', ?)",
				[ $site['update_site_id'], $row['extension_id'] ?? 0, $offer['name'] ?? $offer['element'], $offer['element'], $offer['type'], $offer['folder'] ?? '', (int) $offer['client_id'], $offer['version'], $offer['data'] ?? '', $offer['detailsurl'], $site['extra_query'] ]
			);
		}
	}

	/** The details of one update. */
	final class Update {
		private $values = [];

		public function loadFromXml( $url, $stability = 4, $channel = null ) {
			$xml = @simplexml_load_string( (string) Site::get( $url ) );
			foreach ( $xml ? $xml->update : [] as $one ) {
				if ( preg_match( '/^' . $one->targetplatform['version'] . '/', JVERSION ) && ( ! isset( $this->values['version'] ) || version_compare( $one->version, $this->values['version']->_data, '>' ) ) ) {
					$this->values = [
						'version'     => (object) [ '_data' => (string) $one->version ],
						'downloadurl' => (object) [ '_data' => trim( (string) $one->downloads->downloadurl ) ],
						'sha256'      => (object) [ '_data' => (string) $one->sha256 ],
					];
				}
			}
			return (bool) $this->values;
		}

		public function get( $key, $default = null ) {
			return $this->values[ $key ] ?? $default;
		}

		public function set( $key, $value ) {
			$this->values[ $key ] = $value;
		}
	}
}

namespace Joomla\CMS\Installer {

	use Joomla\Standin\Site;

	/** Packages: from the service to an unpacked folder. */
	final class InstallerHelper {
		const HASH_NOT_VALIDATED = 0;
		const HASH_VALIDATED     = 1;
		const HASH_NOT_PROVIDED  = 2;

		public static function downloadPackage( $url ) {
			$body = Site::get( $url );
			$name = basename( (string) parse_url( $url, PHP_URL_PATH ) );
			return null !== $body && file_put_contents( ( new \JConfig() )->tmp_path . "/$name", $body ) ? $name : false;
		}

		public static function unpack( $file ) {
			$into = dirname( $file ) . '/install_' . bin2hex( random_bytes( 6 ) );
			$zip  = new \ZipArchive();
			if ( true !== $zip->open( $file ) || ! $zip->extractTo( $into ) ) {
				return false;
			}
			$type = 'file';
			foreach ( glob( "$into/*.xml" ) as $one ) {
				$type = (string) ( simplexml_load_file( $one )['type'] ?? 'file' );
			}
			return [
				'packagefile' => $file,
				'extractdir'  => $into,
				'dir'         => $into,
				'type'        => $type,
			];
		}

		public static function isChecksumValid( $file, $update ) {
			$wanted = $update->get( 'sha256' )->_data ?? '';
			return '' === $wanted ? self::HASH_NOT_PROVIDED : ( hash_file( 'sha256', $file ) === $wanted ? self::HASH_VALIDATED : self::HASH_NOT_VALIDATED );
		}

		public static function cleanupInstall( $file, $folder ) {
			Site::remove( $folder );
			is_file( $file ) && unlink( $file );
		}
	}

	/** Puts an extension's files in their place, and notes it in #__extensions. */
	final class Installer {
		private static $instance;

		public static function getInstance() {
			return self::$instance ??= new self();
		}

		public function update( $folder ) {
			return $this->install( $folder, 0 );
		}

		public function install( $folder, $package = 0 ) {
			$way = is_file( "$folder/STANDIN" ) ? trim( file_get_contents( "$folder/STANDIN" ) ) : '';
			if ( 'lying' === $way ) {
				return true;
			}
			$xml      = null;
			$manifest = null;
			foreach ( glob( "$folder/*.xml" ) as $file ) {
				$one = @simplexml_load_file( $file );
				if ( $one && 'extension' === $one->getName() ) {
					$xml      = $one;
					$manifest = $file;
				}
			}
			if ( ! $xml ) {
				return false;
			}
			$type   = (string) $xml['type'];
			$client = 'administrator' === (string) $xml['client'] ? 1 : 0;
			$group  = (string) $xml['group'];
			$name   = 'package' === $type ? 'pkg_' . $xml->packagename : ( 'language' === $type ? (string) $xml->tag : basename( $manifest, '.xml' ) );
			$name   = 'component' === $type ? "com_$name" : $name;
			$side   = $client ? 'administrator/' : '';
			$places = [
				'component' => "administrator/components/$name",
				'module'    => "{$side}modules/$name",
				'plugin'    => "plugins/$group/$name",
				'template'  => "{$side}templates/$name",
				'language'  => "{$side}language/$name",
			];
			if ( 'failing' === $way ) {
				// The code is there, its manifest and the note are not.
				foreach ( glob( "$folder/*.php" ) as $file ) {
					Site::copy( $file, JPATH_ROOT . "/{$places[ $type ]}/" . basename( $file ) );
				}
				\Joomla\CMS\Factory::getApplication()->enqueueMessage( 'Package Update: There was an error.', 'error' );
				return false;
			}
			if ( 'package' === $type ) {
				Site::copy( $manifest, JPATH_ADMINISTRATOR . "/manifests/packages/$name.xml" );
			} else {
				Site::copy( $folder, JPATH_ROOT . '/' . $places[ $type ] );
			}
			$id = $this->note( $xml, $type, $name, $group, $client, $package );
			foreach ( 'package' === $type ? $xml->files->file : [] as $child ) {
				$package = InstallerHelper::unpack( "$folder/{$xml->files['folder']}/$child" );
				$done    = $package && $this->install( $package['dir'], $id );
				InstallerHelper::cleanupInstall( "$folder/{$xml->files['folder']}/$child", $package['extractdir'] ?? '' );
				if ( ! $done ) {
					return false;
				}
			}
			return true;
		}

		private function note( $xml, $type, $name, $group, $client, $package ) {
			$cache = json_encode( [ 'name' => (string) $xml->name, 'type' => $type, 'version' => (string) $xml->version ] );
			$found = Site::rows( 'SELECT extension_id FROM #__extensions WHERE type = ? AND element = ? AND folder = ? AND client_id = ?', [ $type, $name, $group, $client ] );
			if ( $found ) {
				Site::rows( 'UPDATE #__extensions SET manifest_cache = ? WHERE extension_id = ?', [ $cache, $found[0]['extension_id'] ] );
				return (int) $found[0]['extension_id'];
			}
			Site::rows( "INSERT INTO #__extensions (package_id, name, type, element, folder, client_id, enabled, manifest_cache, params, custom_data) VALUES (?, ?, ?, ?, ?, ?, 1, ?, '{}', '')", [ $package, (string) $xml->name, $type, $name, $group, $client, $cache ] );
			$id = (int) Site::link()->insert_id;
			foreach ( isset( $xml->updateservers ) ? $xml->updateservers->server : [] as $server ) {
				Site::rows( "INSERT INTO #__update_sites (name, type, location, enabled, extra_query) VALUES (?, ?, ?, 1, '')", [ (string) $server['name'], (string) $server['type'], trim( (string) $server ) ] );
				Site::rows( 'INSERT INTO #__update_sites_extensions VALUES (?, ?)', [ Site::link()->insert_id, $id ] );
			}
			return $id;
		}
	}
}
